"""The page of two stretches: pictures and words from the numbers, for all kinds of models and pairs."""

import numpy as np
import pytest
from models import VARIANTS
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer.document import Document
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.samples import load_sample, sample_textgrid
from wavlm_explorer.stretches import similarity, stretch_between, whole
from wavlm_explorer.views.side_by_side import LESSON, exhibits


def show(a, b, layer=1, head=1, palette=LIGHT):
    return {exhibit.name: exhibit for exhibit in exhibits(a, b, palette, layer, head)}


@pytest.mark.parametrize("name", ["post-norm", "pre-norm", "no gate", "no positions", "glu"])
def test_every_model_is_shown(name):
    trace = make_trace(VARIANTS[name])
    shown = show(stretch_between(trace, 0.1, 0.2), whole(trace), palette=DARK)
    assert list(shown) == ["side_by_side_maps", "side_by_side_similarity", "side_by_side_reach"]
    for exhibit in shown.values():
        assert exhibit.picture.to_bytes("png", 30).startswith(b"\x89PNG")
        assert "nan" not in exhibit.caption
        assert all(np.isfinite(array).all() for array in exhibit.arrays().values())


def test_one_frame_is_enough():
    trace = make_trace(seconds=0.025)
    assert "looks at itself alone" in show(whole(trace), whole(trace))["side_by_side_reach"].caption


def test_the_picture_holds_the_numbers():
    trace = make_trace()
    a, b = stretch_between(trace, 0.1, 0.2), stretch_between(trace, 0.25, 0.4, r"$\frac")
    shown = show(a, b, layer=0)
    arrays = shown["side_by_side_maps"].arrays()
    np.testing.assert_array_equal(arrays["weights_b"], trace.attention(0, 1)[0, b.start : b.stop])
    drawn = panels(shown["side_by_side_similarity"].picture)[2].images[0].get_array()
    np.testing.assert_array_equal(drawn, similarity(a, b, 0)[0])
    assert shown["side_by_side_maps"].picture.to_bytes("svg")


def test_what_the_lesson_says_of_the_two_voices_is_so():
    """The same word keeps a diagonal from the lowest layer to the top; another word has none."""
    trace = wx.trace(wx.load_model("nano"), load_sample("two_voices"))
    _, words = wx.load_labels(sample_textgrid("two_voices").encode())
    said = [stretch_between(trace, *interval) for interval in words.intervals if interval.text]
    for layer in (0, trace.num_layers - 1):
        along = {
            pair: np.mean([
                float(similarity(said[1], said[pair], layer)[0][row, round(row * (said[pair].num_frames - 1) / 26)])
                for row in range(26)
            ])
            for pair in (4, 5)
        }  # fmt: skip
        assert said[4].name == "morning" != said[5].name
        assert along[4] > 2 * along[5]


def test_the_equation_can_be_set():
    document = Document("")
    document.add_equation(LESSON.equation, LESSON.symbols)
    assert "merror" not in document.to_html()
