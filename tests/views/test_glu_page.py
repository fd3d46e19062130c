"""The page of the GLU: its words and numbers against the model's weights, and what it does without a GLU."""

import io
import re
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from models import VARIANTS
from pages import by_name, notes_of, show_page
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.demonstration import NUM_CHANNELS, demonstration_terms
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS
from wavlm_explorer.samples import load_sample, sample_textgrid
from wavlm_explorer.views import Working
from wavlm_explorer.views.glu import VIEW, make_unit, work_through

show = partial(show_page, VIEW)

KINDS = list(GLU_ACTIVATIONS)
NAMES = ["glu_types", "glu_regions", "glu_channels", "glu_terms", "glu_channel"]


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def titles_of(exhibit) -> list[str]:
    picture = exhibit.picture
    return [axes.get_title(loc="left") for axes in picture.axes] + [text.get_text() for text in picture.texts]


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_for_a_glu_is_labelled(kind):
    trace = make_trace()
    items = show(trace, glu_type=kind)
    assert "no GLU" in notes_of(items)
    assert "demonstration" in notes_of(items)
    shown = by_name(items)
    assert list(shown) == [f"demonstration_{name}" for name in NAMES]
    for exhibit in shown.values():
        assert any(title.startswith("Demonstration") for title in titles_of(exhibit))
    terms = demonstration_terms(trace, VIEW.defaults(trace)["layer"], kind)
    assert np.array_equal(shown["demonstration_glu_terms"].arrays()["gate"], terms.gate)


def test_a_glu_of_its_own_needs_no_demonstration():
    trace = make_trace(VARIANTS["glu"])
    items = show(trace, layer=2)
    assert not notes_of(items)
    shown = by_name(items)
    assert list(shown) == NAMES
    assert isinstance(items[1], Working)
    arrays, terms = shown["glu_terms"].arrays(), trace.glu(2)
    for name, term in terms._asdict().items():
        assert np.array_equal(arrays[name], term)
    assert np.allclose(arrays["value"] * arrays["gate"], arrays["output"])


def test_another_gate_than_the_model_s_is_said_to_be_one():
    trace = make_trace(VARIANTS["glu"])
    items = show(trace, layer=1, glu_type="relu")
    assert "gate is **swish**" in notes_of(items)
    assert "**relu**" in notes_of(items)
    arrays, terms = by_name(items)["glu_terms"].arrays(), trace.glu(1)
    assert np.array_equal(arrays["value"], terms.value)
    assert np.array_equal(arrays["gate"], terms.gate_input.clamp(min=0))
    for name in NAMES[1:]:
        assert any("relu instead of swish" in title for title in titles_of(by_name(items)[name]))


def test_choices_fit_the_unit():
    for trace, own, channels in (
        (make_trace(VARIANTS["glu"]), "swish", VARIANTS["glu"].encoder_ffn_embed_dim),
        (make_trace(), None, NUM_CHANNELS),
    ):
        choices: dict[str, Any] = {choice.name: choice for choice in VIEW.choices(trace)}
        assert list(choices) == ["layer", "glu_type", "glu_rank", "frame"]
        assert choices["glu_type"].options == tuple(KINDS)
        assert choices["glu_type"].default == (own or "swish")
        assert choices["glu_rank"].maximum == channels - 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_written_out_are_those_of_the_weights(nano, kind):
    layer, rank, frame = 4, 100, 57
    unit = make_unit(nano, layer, kind, rank, frame)
    weights = nano.model.state_dict()
    weight, bias = (weights[f"encoder.layers.{layer}.fc1.linear.{name}"].double() for name in ("weight", "bias"))
    rows = [unit.channel, unit.channel + len(weight) // 2]
    value, z = (weight[rows] @ nano.feed_forward_input(layer)[frame].double() + bias[rows]).tolist()
    gate = float(GLU_ACTIVATIONS[kind]()(torch.tensor(z, dtype=torch.float64)))
    steps = work_through(unit, kind, has_bias=True).steps
    written = [[float(one) for one in re.findall(r"-?\d+\.\d+", latex)] for _, latex in steps]
    assert written[0] == pytest.approx([value, z], abs=6e-4)
    assert written[1][-1] == pytest.approx(gate, abs=6e-4)
    assert written[1][:-1] == pytest.approx([z] * (len(written[1]) - 1), abs=6e-4)
    assert written[2] == pytest.approx([value, gate, value * gate], abs=6e-4)


def test_what_becomes_of_the_value_is_said(nano):
    unit = make_unit(nano, 4, "swish", 100, 0)
    said = {}
    for frame, gate in enumerate(unit.terms.gate[:, unit.channel].tolist()):
        words = work_through(unit._replace(frame=frame), "swish", has_bias=True).steps[2][0]
        fate = "closed" if abs(gate) < 0.1 else "open" if gate > 0 else "turns the sign"
        said[fate] = [name for name in ("closed", "open", "turns the sign") if f"**{name}**" in words]
    assert said == {name: [name] for name in said}
    assert len(said) == 3


def test_captions_and_arrays_say_the_same(nano):
    shown = by_name(show(nano, layer=4, glu_rank=381))
    gate = nano.glu(4).gate.numpy()
    closed = np.abs(gate) < 0.1
    types = shown["glu_types"].arrays()
    value, z = nano.glu(4).value.numpy(), nano.glu(4).gate_input
    for kind in KINDS:
        other = GLU_ACTIVATIONS[kind]()(z).numpy()
        assert types[f"{kind}_closed"] == pytest.approx(np.mean(np.abs(other) < 0.1), abs=1e-6)
        assert types[f"{kind}_open"] == pytest.approx(np.mean(other >= 0.1), abs=1e-6)
        assert types[f"{kind}_turned"] == pytest.approx(np.mean(other <= -0.1), abs=1e-6)
        passed = np.sqrt(np.mean((value * other) ** 2) / np.mean(value**2))
        assert types[f"{kind}_output_over_value"] == pytest.approx(passed, rel=1e-4)
    assert "**sigmoid** closes the fewest (0.7%), **relu** the most (61%)" in shown["glu_types"].caption
    ranking = shown["glu_channels"].arrays()
    by_channel = closed.mean(axis=0)
    assert np.allclose(by_channel[ranking["channel_by_rank"]], ranking["closed_by_rank"])
    assert (np.diff(ranking["closed_by_rank"]) <= 0).all()
    assert f"in {by_channel.max():.0%} of the frames" in shown["glu_channels"].caption
    by_frame = closed.mean(axis=1)
    assert np.allclose(shown["glu_terms"].arrays()["closed_by_frame"], by_frame)
    low, high = int(by_frame.argmin()), int(by_frame.argmax())
    assert (
        f"Between {by_frame[low]:.0%} (at {float(nano.frame_times[low]):.2f} s) and {by_frame[high]:.0%} (at "
        f"{float(nano.frame_times[high]):.2f} s)" in shown["glu_terms"].caption
    )
    assert f"{types['swish_output_over_value']:.2f} times as large as its values" in shown["glu_terms"].caption
    one = shown["glu_channel"].arrays()
    channel = int(ranking["channel_by_rank"][381])
    assert int(one["channel"]) == channel
    assert np.array_equal(one["gate"], gate[:, channel])
    assert np.allclose(one["value"] * one["gate"], one["output"])


def test_the_most_frequent_region_is_told_in_words(nano):
    regions = by_name(show(nano, layer=4))["glu_regions"]
    shares = regions.arrays()
    value, gate = nano.glu(4).value.numpy(), nano.glu(4).gate.numpy()
    negative = value < 0
    for kind, mask in (("closed", np.abs(gate) < 0.1), ("open", gate >= 0.1), ("turned", gate <= -0.1)):
        assert shares[f"{kind}_by_sign"] == pytest.approx(
            [np.mean(mask & negative), np.mean(mask & ~negative)], abs=1e-6
        )
    most = shares["turned_by_sign"][0]
    assert most == max(shares[f"{kind}_by_sign"].max() for kind in ("closed", "open", "turned"))
    assert f"The most frequent case, {most:.0%}: a negative value, turned to +." in regions.caption
    without = by_name(show(nano, layer=4, glu_type="sigmoid"))["glu_regions"]
    assert "no value's sign is turned" in without.caption


def test_what_the_lesson_says_to_try_is_so(nano):
    assert "layer 4 and rank 381" in VIEW.lesson.try_this
    one = by_name(show(nano, layer=4, glu_rank=381))["glu_channel"].arrays()
    assert np.mean(np.abs(one["gate"]) < 0.1) < 0.06
    phones = wx.load_labels(io.BytesIO(sample_textgrid("sentence").encode()))[0]
    means = {"æ": [], "ɛ": [], "f": [], "tʃ": []}
    for phone in phones.intervals:
        inside = (one["frame_times"] >= phone.start) & (one["frame_times"] < phone.end)
        means.get(phone.text, []).append(float(one["gate"][inside].mean()))
    assert all(means.values())
    assert min(means["æ"] + means["ɛ"]) > 3
    assert max(means["f"] + means["tʃ"]) < 1
    types = by_name(show(nano, layer=4))["glu_types"].arrays()
    assert types["relu_closed"] > 3 * types["swish_closed"]
    assert types["swish_turned"] > 0.4
    assert types["relu_turned"] == 0
