"""The peers do the same work as ours, at a tiny geometry."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from oracles import TINY

from benchmarks.contestants import ATTENTION, CONTESTANTS, OURS, STATES, Explorer, largest_disagreement
from benchmarks.memory import measure_memory
from benchmarks.passes import count_passes, measure_passes
from benchmarks.timing import is_out_of_memory, limited_address_space, make_clip, time_in_turns
from benchmarks.weights import prepare

PRE_NORM = dataclasses.replace(TINY, layer_norm_first=True, extractor_mode="layer_norm", normalize=True)


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("config", [TINY, PRE_NORM], ids=["post-norm", "pre-norm"])
def test_all_have_the_same_weights(config, tmp_path):
    folder = prepare(config, tmp_path)
    contestants = {name: kind(folder, "cpu") for name, kind in CONTESTANTS.items()}
    found = largest_disagreement(contestants, make_clip(0.5))
    assert set(found) == set(CONTESTANTS) - {"Microsoft"}
    assert max(found.values()) < 1e-5
    with torch.no_grad():
        contestants[OURS].model.encoder.layers[1].fc1.bias.add_(0.1)
    assert largest_disagreement(contestants, make_clip(0.5))[OURS] > 1e-3


def test_a_run_times_every_entry(tiny_weights, entries, monkeypatch):
    monkeypatch.setattr("benchmarks.roofline.SIDE", 64)
    numbers = measure_passes(tiny_weights, {0.3: 2}, "cpu")
    times = numbers["times"]["0.3"]
    assert {f"{name}, {work}" for name, work in entries} < set(times)
    assert all(len(taken) == 2 and min(taken) > 0 for taken in times.values())
    assert numbers["passes of a second look"] == 0
    assert "torchaudio" not in sys.modules


def test_the_explorer_gives_what_it_is_timed_for(tiny_weights):
    explorer = Explorer(tiny_weights, "cpu")
    trace, maps = explorer.run(make_clip(0.5), ATTENTION)
    assert trace.hidden_states.shape == (4, 24, 24)
    assert maps.shape == (3, 24, 24)
    assert torch.equal(explorer.run(make_clip(0.5), STATES).hidden_states, trace.hidden_states)


def test_a_pass_of_a_second_look_would_be_counted(tiny_weights, monkeypatch):
    explorer = Explorer(tiny_weights, "cpu")
    monkeypatch.setattr("benchmarks.passes.second_looks", lambda trace: {"": lambda: explorer.trace(make_clip(0.5))})
    assert count_passes(explorer, make_clip(0.5)) == 1


def test_memory_is_measured_in_a_process_of_its_own(tiny_weights):
    peaks = measure_memory(tiny_weights, OURS, STATES, [0.5, 20.0], "cpu")
    short, long = peaks["0.5"], peaks["20"]
    assert short is not None
    assert long is not None
    assert 0 < short < long < 1 << 30


def test_who_asks_for_too_much_is_out_and_the_others_go_on():
    def greedy():
        with limited_address_space(64 << 20):
            return torch.ones(1 << 28)

    times = time_in_turns({"greedy": greedy, "modest": lambda: np.ones(3)}, 2)
    assert times["greedy"] is None
    assert times["modest"] is not None
    assert len(times["modest"]) == 2
    torch.ones(1 << 26)  # 256 MiB: the limit is gone


def test_other_errors_are_no_lack_of_memory():
    assert not is_out_of_memory(RuntimeError("expected 3 channels"))
    with pytest.raises(RuntimeError, match="size"):
        time_in_turns({"broken": lambda: torch.ones(2) @ torch.ones(3)}, 1)
