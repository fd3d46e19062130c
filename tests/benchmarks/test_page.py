"""The page says what the numbers say."""

import pytest

from benchmarks.page import write_page
from benchmarks.picture import draw
from benchmarks.results import Results
from benchmarks.targets import judge


def test_every_target_is_judged(results):
    assert [target.met for target in judge(results)] == [True, True, True, True, True, True, True, True]


def test_nothing_measured_is_nothing_reached(tmp_path):
    targets = judge(Results(tmp_path))
    assert len(targets) == 8
    assert all(target.met is None and target.found == "not measured" for target in targets)


@pytest.mark.parametrize(
    ("task", "seconds", "missed"),
    [
        ("WavLM Explorer, hidden states", 3.0, {"hidden states, 10 s", "share of the roofline"}),
        ("WavLM Explorer, hidden states and attention", 1.2, {"hidden states and one layer"}),
        ("maps of one more layer", 0.05, {"the maps of one more layer"}),
        ("oneDNN", 0.02, {"share of the roofline"}),
    ],
)
def test_a_target_missed_is_said(results, task, seconds, missed):
    results.numbers("passes")["Base"]["times"]["10"] |= {task: [seconds]}
    found = {target.what for target in judge(results) if not target.met}
    assert all(any(what.startswith(start) for start in missed) for what in found)
    assert len(found) == len(missed)
    assert "| **no** |" in write_page(results)


def test_who_died_is_said(results):
    results.numbers("memory")["Base"]["transformers, hidden states"]["60"] = None
    assert "| transformers, hidden states | died of memory |" in write_page(results)


def test_the_page_has_every_part_and_its_picture(results):
    page = write_page(results)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert [heading[3:10] for heading in headings] == ["Targets", "Time of", "Peak me", "Long cl", "Start a"]
    assert "0.5" not in headings
    assert "| WavLM Explorer, hidden states | 500 ms (0.50 x) | 500 ms (0.50 x) |" in page
    draw(results, results.path.parent / "pictures" / "picture.png")
    assert (results.path.parent / "pictures" / "picture.png").stat().st_size > 10_000


def test_results_outlive_the_run_and_a_part_is_replaced(results):
    again = Results(results.path.parent)
    assert again.parts == results.parts
    again.keep("start", {"day": "2026-02-02"}, {"seconds": {}, "bytes": {}})
    assert Results(results.path.parent).parts["start"]["machine"] == {"day": "2026-02-02"}
    assert Results(results.path.parent).parts["passes"] == results.parts["passes"]
