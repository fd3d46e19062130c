"""Every page, with what is chosen before anyone chooses and with what else can be."""

import dataclasses
from functools import partial
from typing import Any

import numpy as np
import pytest
from models import VARIANTS, make_audio
from oracles import TINY
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.bias import learned_bias
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS
from wavlm_explorer.noise import WEIGHT_NAMES
from wavlm_explorer.views import VIEWS, Exhibit, Fraction, Note, Option, WholeNumber
from wavlm_explorer.views.buckets import describe_head

BY_NAME = {view.name: view for view in VIEWS}
LABELS_OF_TEXT = ("what", "equation", "try_this")


def make_base():
    return wx.trace(wx.WavLM(dataclasses.replace(wx.BASE, encoder_layers=2)).eval(), make_audio(0.7))


TRACES = {
    "nano": lambda: wx.trace(wx.load_model("nano"), make_audio(1.4)),
    "base": make_base,
    "one frame": lambda: make_trace(TINY, 0.025),
    "one layer": lambda: make_trace(dataclasses.replace(VARIANTS["glu"], encoder_layers=1)),
    **{name: partial(make_trace, VARIANTS[name]) for name in ("pre-norm", "no gate", "no positions")},
}


@pytest.fixture(scope="module", params=TRACES)
def trace(request):
    return TRACES[request.param]()


def show(view, trace, palette=LIGHT, **chosen) -> list[Any]:
    """Everything a page yields."""
    return list(view.exhibits(trace, palette, **{**view.defaults(trace), **chosen}))


def notes_of(items):
    return " ".join(item.text for item in items if isinstance(item, Note))


def test_pages_and_their_order():
    assert [view.title for view in VIEWS] == ["Attention", "Buckets", "Gate", "GLU", "Quant noise", "Cloze"]
    assert len({view.name for view in VIEWS}) == len({view.icon for view in VIEWS}) == len(VIEWS)
    for view in VIEWS:
        assert all(getattr(view.lesson, part) for part in LABELS_OF_TEXT)
        assert view.lesson.symbols


@pytest.mark.parametrize("name", BY_NAME)
def test_every_page_shows_what_it_promises(name, trace):
    before = digest(trace.model)
    items = show(BY_NAME[name], trace)
    exhibits = [item for item in items if isinstance(item, Exhibit)]
    assert exhibits or notes_of(items)
    assert len({exhibit.name for exhibit in exhibits}) == len(exhibits)
    for exhibit in exhibits:
        assert exhibit.caption
        assert "nan" not in exhibit.caption.lower()
        assert 0 < exhibit.share <= 1
        assert exhibit.name.replace("_", "").isalnum()
        arrays = exhibit.arrays()
        assert arrays
        for array in arrays.values():
            assert isinstance(array, np.ndarray)
            assert np.isfinite(array).all()
    assert digest(trace.model) == before


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize(("kind", "palette"), [("nano", DARK), ("one frame", LIGHT)], ids=["nano", "one frame"])
def test_every_picture_can_be_drawn(kind, name, palette):
    for item in show(BY_NAME[name], TRACES[kind](), palette):
        if isinstance(item, Exhibit):
            assert item.picture.to_bytes("png", 30).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", BY_NAME)
def test_defaults_can_be_chosen(name, trace):
    view = BY_NAME[name]
    choices = view.choices(trace)
    assert len({choice.name for choice in choices}) == len(choices)
    for choice in choices:
        assert choice.label
        if isinstance(choice, Option):
            assert choice.default in choice.options
        elif isinstance(choice, WholeNumber | Fraction):
            assert choice.minimum <= choice.default <= choice.maximum


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_ends_of_every_number_can_be_chosen(name, end):
    view, trace = BY_NAME[name], make_trace()
    numbers = [choice for choice in view.choices(trace) if isinstance(choice, WholeNumber | Fraction)]
    assert show(view, trace, **{choice.name: getattr(choice, end) for choice in numbers})


@pytest.mark.parametrize("kind", GLU_ACTIVATIONS)
def test_what_stands_in_for_a_glu_is_labelled(kind):
    trace = make_trace()
    items = show(BY_NAME["glu"], trace, glu_type=kind)
    assert "no GLU" in notes_of(items)
    assert "demonstration" in notes_of(items)
    exhibits = items[1:]
    assert len(exhibits) == 2
    for exhibit in exhibits:
        assert exhibit.name.startswith("demonstration_")
        titles = [axes.get_title(loc="left") for axes in exhibit.picture.axes]
        assert any(title.startswith("Demonstration") and kind in title for title in titles)


def test_a_glu_of_its_own_needs_no_demonstration():
    trace = make_trace(VARIANTS["glu"])
    items = show(BY_NAME["glu"], trace, layer=2)
    assert not notes_of(items)
    assert [choice.name for choice in BY_NAME["glu"].choices(trace)] == ["layer"]
    arrays = items[0].arrays()
    terms = trace.glu(2)
    for name, term in terms._asdict().items():
        assert np.array_equal(arrays[name], term)
    assert np.allclose(arrays["value"] * arrays["gate"], arrays["output"])


def test_what_a_checkpoint_lacks_is_said():
    view = BY_NAME["buckets"]
    bare, ungated, whole = (show(view, make_trace(VARIANTS[name])) for name in ("no positions", "no gate", "post-norm"))
    assert "no relative positions" in notes_of(bare)
    assert "no gate" in notes_of(ungated)
    assert not notes_of(whole)
    names = [[item.name for item in items if isinstance(item, Exhibit)] for items in (bare, ungated, whole)]
    assert names[0] == ["bucket_function", "bucket_matrix"]
    assert names[1] == [*names[0], "bias_curves"]
    assert names[2] == [*names[1], "gate_track"]


def test_settings_without_buckets_are_no_crash():
    config = dataclasses.replace(VARIANTS["no positions"], num_buckets=2, max_distance=1)
    items = show(BY_NAME["buckets"], make_trace(config))
    assert "no buckets" in notes_of(items)


@pytest.mark.parametrize(("row", "words"), [(2, "40 ms back"), (0, "at the frame itself"), (17, "20 ms ahead")])
def test_the_peak_is_told_in_words(row, words):
    trace = make_trace()
    table = trace.model.encoder.block(0).self_attn.relative_attention_bias.weight
    table.data.zero_()
    table.data[row, 1] = 3.0
    caption = describe_head(trace, learned_bias(trace), 1)
    assert f"Head 1 peaks {words} at +3.00" in caption
    assert "20.1 times" in caption
    assert "the same bias" in describe_head(trace, learned_bias(trace), 0)


@pytest.mark.parametrize("weight", WEIGHT_NAMES)
def test_noise_on_every_weight_and_every_layer(weight):
    trace = make_trace(VARIANTS["glu"])
    for layer in (0, 2):
        items = show(BY_NAME["quant-noise"], trace, layer=layer, weight=weight, p=0.5, block="4", draw=1)
        exhibits = {item.name: item for item in items}
        arrays = exhibits["noise_attention"].arrays()
        is_last = layer == 2 and weight not in ("q_proj", "k_proj")
        assert np.array_equal(arrays["before"], arrays["after"]) == is_last
        change = exhibits["noise_effect"].arrays()["relative_change_of_states"]
        assert not change[: layer + 1].any()
        assert (change[layer + 1 :] > 0).all() or weight == "k_proj"
