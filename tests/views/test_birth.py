"""The birth of the heads: the page against the file of moments, and what it claims of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.birth import bias_over_distance, course, distance_share, first_moment, load_birth
from wavlm_explorer.figures import LIGHT
from wavlm_explorer.figures.birth import GAP
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import WholeNumber
from wavlm_explorer.views.birth import VIEW, describe

LAST = 11


@pytest.fixture(scope="module")
def nano():
    return wx.load_model("nano")


def show(moment) -> list[Any]:
    return list(VIEW.exhibits(make_trace(), LIGHT, birth_moment=moment))


def test_the_last_moment_is_the_bundled_model(nano):
    birth, sample = load_birth(), load_sample("sentence")
    assert birth.clip_name == "sentence.flac"
    audio = wx.Audio(sample.samples[: int(birth.clip_seconds * 16_000)])
    trace = wx.trace(nano, audio)
    for layer in (0, 5):
        gates = trace.gate(layer)
        for ours, theirs in (
            (birth.gate_low, gates.amin(1)), (birth.gate_mean, gates.mean(1)), (birth.gate_high, gates.amax(1))
        ):  # fmt: skip
            assert np.allclose(ours[LAST, layer], theirs, atol=0.01)
        rows = trace.attention(layer).amax(dim=-1)  # [heads, frames]
        assert np.allclose(birth.weights(LAST)[layer].max(axis=(1, 2)), rows.amax(dim=1), atol=0.01)
    assert np.allclose(birth.weights(LAST).max(axis=-1), birth.peaks[LAST], rtol=1e-5)
    distances, bias = bias_over_distance(birth, LAST)
    table = nano.encoder.block(0).self_attn
    frames = (distances / 20).astype(int)
    assert frames[0] == -nano.config.max_distance
    assert np.allclose(bias, table.bias_of_distances(torch.tensor(frames)).detach(), atol=0.01)


def test_the_course_is_counted_by_hand():
    birth, signs = load_birth(), course(load_birth())
    with np.load(Path(wx.__file__).parent / "assets/nano/birth.npz") as raw:
        for moment in (0, 5, LAST):
            gates = raw["gate_high"][moment].astype(float) - raw["gate_low"][moment].astype(float)
            assert signs.gate_range[moment] == pytest.approx(gates.mean(), rel=1e-3)
            spreads = [np.std(raw["bias"][moment, :, head].astype(float)) for head in range(6)]
            assert signs.bias_spread[moment] == pytest.approx(np.mean(spreads), rel=1e-3)
            assert signs.largest_weight[moment] == pytest.approx(raw["peaks"][moment].astype(float).mean(), rel=1e-3)
        assert np.array_equal(signs.heldout, raw["heldout"])
    assert birth.steps.tolist() == sorted(birth.steps.tolist())
    assert first_moment(np.array([0.1, 0.5, 0.4, 0.9]), 0.5) == 1
    assert first_moment(np.array([0.1, 0.5]), 2.0) == 1


def test_maps_of_distance_alone_and_of_content_alone():
    birth = load_birth()._replace(
        maps=np.zeros((2, 1, 1, 5, 5), np.uint8), peaks=np.ones((2, 1, 1, 5), np.float32)
    )  # fmt: skip
    distances = np.arange(5)[None] - np.arange(5)[:, None]
    birth.maps[0, 0, 0] = 100 + 20 * distances
    birth.maps[1, 0, 0] = 50 + 40 * np.arange(5)
    assert distance_share(birth, 0) == pytest.approx(1)
    logarithms = np.log(birth.weights(1)[0, 0].astype(float))
    means = {each: logarithms[distances == each].mean() for each in range(-4, 5)}
    of_distance = np.vectorize(means.get)(distances).var()
    assert distance_share(birth, 1) == pytest.approx(of_distance / logarithms.var(), rel=1e-3)


def test_the_two_sentences_are_so():
    birth, signs = load_birth(), course(load_birth())
    words = describe(birth, signs)
    assert words.count(". ") == 1  # two sentences
    half = int(np.argmax(signs.gate_range >= signs.gate_range.max() / 2))
    awake = int(np.argmax(signs.largest_weight >= 2 * signs.largest_weight[0]))
    assert half < awake
    assert signs.bias_spread[half] < 0.1 * signs.bias_spread.max()
    assert f"by step {birth.steps[half]:,}" in words
    first, last = distance_share(birth, awake), distance_share(birth, LAST)
    assert first > 0.75 > 0.5 > last
    assert f"at step {birth.steps[awake]:,}, when the maps leave the flat, {first:.0%}" in words
    assert f"in the end {last:.0%}" in words


def test_half_of_a_gate_is_the_sum_that_the_page_speaks_of(nano):
    weights = nano.encoder.block(0).self_attn.grep_linear.weight
    assert weights[:4].numel() == 128
    assert "adds up 128 weights" in describe(load_birth(), course(load_birth()))


@pytest.mark.parametrize("moment", [0, 5, LAST])
def test_pictures_captions_and_arrays_say_the_same(moment):
    birth = load_birth()
    one, whole = show(moment)
    assert f"After {birth.steps[moment]:,} steps it guesses {birth.heldout[moment]:.0%}" in one.caption
    maps, _, accuracy, bias, gates = one.picture.axes
    mosaic = maps.images[0].get_array()
    for layer, head in ((0, 0), (3, 2), (5, 5)):
        top, left = layer * (80 + GAP), head * (80 + GAP)
        assert np.array_equal(mosaic[top : top + 80, left : left + 80], one.arrays()["maps"][layer, head])
    assert maps.get_title(loc="left") == f"Step {birth.steps[moment]:,} of 5,400"
    assert [text.get_text() for text in accuracy.get_legend().get_texts()] == [
        f"known speakers: {birth.heldout[moment]:.0%}", f"a stranger: {birth.stranger[moment]:.0%}",
    ]  # fmt: skip
    curves = [line.get_ydata() for line in bias.lines[:6]]
    assert np.array_equal(curves, bias_over_distance(birth, moment)[1])
    (ranges,) = gates.collections
    assert np.allclose([line[:, 1] for line in ranges.get_segments()], np.stack(
        [birth.gate_low[moment].ravel(), birth.gate_high[moment].ravel()], axis=1
    ))  # fmt: skip
    assert np.array_equal(whole.arrays()["largest_weight"], course(birth).largest_weight)


def test_what_the_lesson_says_to_try_is_so():
    birth = load_birth()
    assert "moment 5, step 152" in VIEW.lesson.try_this
    assert birth.steps[5] == 152
    brightest = birth.peaks[5].mean(axis=-1).argmax(axis=-1)
    assert (brightest == 1).all()
    distances, bias = bias_over_distance(birth, 5)
    assert 0 < distances[bias[1].argmax()] < 500


def test_it_is_about_nano_whatever_is_chosen():
    assert "always shows nano" in VIEW.lesson.what
    (choice,) = VIEW.choices(make_trace())
    assert isinstance(choice, WholeNumber)
    assert (choice.minimum, choice.maximum) == (0, LAST)
