"""The page that hides frames: what it says against what is so, and what it says where there is no head."""

from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from pages import by_name, show_page
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.figures import DARK
from wavlm_explorer.figures.cloze import classes_to_show
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Note, Sounds
from wavlm_explorer.views.cloze import VIEW

show = partial(show_page, VIEW)


def trace_of(sample):
    return wx.trace(wx.load_model("nano"), load_sample(sample))


@pytest.mark.parametrize(
    ("sample", "first", "number", "right"),
    [("pause", 90, 10, {"as it is": 10, "without position": 10}),
     ("sentence", 200, 4, {"as it is": 3, "without position": 1}),
     ("sentence", 200, 10, {"as it is": 2})],
)  # fmt: skip
def test_what_the_lesson_promises_is_so(sample, first, number, right):
    items = show(trace_of(sample), hidden_from=first, hidden_frames=number)
    shown = by_name(items)["cloze_certainty"]
    for name, count in right.items():
        assert f"{name} {count} (" in shown.caption
    certainty = shown.arrays()
    assert certainty["as_it_is"].mean() > 1.5 * certainty["without_position"].mean()


def test_the_middle_of_the_silence_is_less_sure_than_its_edges():
    (shown, *_) = by_name(show(trace_of("pause"), hidden_from=90, hidden_frames=10)).values()
    certainty = shown.arrays()["without_position"]
    assert [f"{share:.2f}" for share in (certainty.min(), certainty[0], certainty[-1])] == ["0.23", "0.91", "0.84"]
    assert certainty.argmin() in (4, 5)
    assert "(0.23; at its edges 0.91 and 0.84)" in VIEW.lesson.try_this


def test_pictures_words_and_sounds_belong_together():
    items = show(trace_of("sentence"), DARK, hidden_from=200, hidden_frames=4, layer=2, head=1)
    shown = by_name(items)
    assert list(shown) == ["cloze_certainty", "cloze_guesses", "cloze_distance"]
    guesses = shown["cloze_guesses"].arrays()
    picked = np.take_along_axis(guesses["probabilities"], guesses["true_class"][:, None], axis=1)[:, 0]
    np.testing.assert_array_equal(shown["cloze_certainty"].arrays()["as_it_is"], picked)
    assert "without_head_1_of_layer_2" in shown["cloze_certainty"].arrays()
    sounds = next(item for item in items if isinstance(item, Sounds))
    assert sounds.clips[0][0].startswith("**what was hidden**")
    assert len(sounds.clips) > 1


@pytest.mark.parametrize("name", ["no gate", "no positions", "pre-norm"])
def test_without_a_head_the_distance_is_told(name):
    items = show(make_trace(VARIANTS[name]), hidden_from=2, hidden_frames=3)
    assert isinstance(items[0], Note)
    assert "without the head" in items[0].text
    shown = by_name(items)
    assert list(shown) == ["cloze_distance"]
    has = {"no gate": {"without_position"}, "no positions": set(), "pre-norm": {"without_position", "gates_at_1"}}
    assert set(shown["cloze_distance"].arrays()) - {"as_it_is", "without_head_0_of_layer_1"} == has[name]


def test_a_trace_from_a_file_cannot_hear_once_more(tmp_path):
    trace = wx.load_trace(trace_of("sentence").save(tmp_path / "trace.safetensors"))
    (item,) = show(trace)
    assert isinstance(item, Note)
    assert "came" in item.text


def test_one_frame_has_nothing_around_it():
    (item,) = show(make_trace(seconds=0.025))
    assert isinstance(item, Note)
    assert "one frame only" in item.text


def test_all_true_classes_are_shown_before_what_is_likely():
    trace = trace_of("sentence")
    arrays = by_name(show(trace, hidden_from=100, hidden_frames=25))["cloze_guesses"].arrays()
    shown = classes_to_show(torch.tensor(arrays["probabilities"]), torch.tensor(arrays["true_class"]))
    true = list(dict.fromkeys(arrays["true_class"].tolist()))
    assert shown[: len(true)] == true
    assert len(set(shown)) == len(shown) >= len(true) + 3
