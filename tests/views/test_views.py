"""Every page, with what is chosen before anyone chooses and with what else can be."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from models import VARIANTS, make_audio
from oracles import TINY
from pages import notes_of, show_page
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.noise import LINEAR_NAMES
from wavlm_explorer.views import VIEWS, Exhibit, Fraction, Option, WholeNumber

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


def test_pages_and_their_order():
    assert [view.title for view in VIEWS] == [
        "Attention",
        "Relative positions",
        "Gate",
        "GLU",
        "Quant noise",
        "Activations",
        "Norms",
        "Masks",
        "Decoding",
        "Positional convolution",
        "Gradients",
        "Initialisation",
        "What if",
        "Cloze",
        "The birth of the heads",
    ]
    assert len({view.name for view in VIEWS}) == len({view.icon for view in VIEWS}) == len(VIEWS)
    for view in VIEWS:
        assert all(getattr(view.lesson, part) for part in LABELS_OF_TEXT)
        assert view.lesson.symbols


@pytest.mark.parametrize("name", BY_NAME)
def test_every_page_shows_what_it_promises(name, trace):
    before = digest(trace.model)
    items = show_page(BY_NAME[name], trace)
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
            assert array.dtype.kind == "U" or np.isfinite(array).all()  # names, or numbers
    assert digest(trace.model) == before


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize(("kind", "palette"), [("nano", DARK), ("one frame", LIGHT)], ids=["nano", "one frame"])
def test_every_picture_can_be_drawn(kind, name, palette):
    for item in show_page(BY_NAME[name], TRACES[kind](), palette):
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
    assert show_page(view, trace, **{choice.name: getattr(choice, end) for choice in numbers})


@pytest.mark.parametrize("weight", LINEAR_NAMES)
def test_noise_on_every_weight_and_every_layer(weight):
    trace = make_trace(VARIANTS["glu"])
    for layer in (0, 2):
        items = show_page(BY_NAME["quant-noise"], trace, layer=layer, weight=weight, p=0.5, block="4", draw=1)
        exhibits = {item.name: item for item in items if isinstance(item, Exhibit)}
        arrays = exhibits["noise_attention"].arrays()
        is_last = layer == 2 and weight not in ("q_proj", "k_proj")
        assert np.array_equal(arrays["before"], arrays["after"]) == is_last
        change = exhibits["noise_effect"].arrays()["relative_change_of_states"]
        assert not change[: layer + 1].any()
        assert (change[layer + 1 :] > 0).all() or weight == "k_proj"
