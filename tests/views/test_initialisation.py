"""The page of initialisation: the draws are those of really made modules, its numbers those of the weights."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import TINY
from pages import show_page
from scipy import stats
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.encoder import TransformerEncoder, TransformerSentenceEncoderLayer
from wavlm_explorer.figures.initial_weights import densities
from wavlm_explorer.initial_weights import (
    TABLE,
    Draw,
    initial_weights,
    learned_spreads,
    learned_weight,
    own_draw,
    weight_names,
)
from wavlm_explorer.views.initialisation import VIEW

show = partial(show_page, VIEW)

WIDE = dataclasses.replace(
    TINY, encoder_embed_dim=96, encoder_ffn_embed_dim=200, encoder_layers=1, num_buckets=320, max_distance=800
)
NAMES = weight_names(WIDE)


def weight_of(layer, name):
    module = getattr(layer if name.startswith("fc") else layer.self_attn, name)
    return getattr(module, "linear", module).weight.detach()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("config", [WIDE, dataclasses.replace(WIDE, activation_fn="glu")], ids=["plain", "glu"])
def test_draws_are_distributed_as_those_of_really_made_modules(config, name):
    torch.manual_seed(7)
    made = weight_of(TransformerSentenceEncoderLayer(config, True), name)
    left = weight_of(TransformerEncoder(config).block(0), name)
    drawn = initial_weights(config, name, 3)
    for ours, theirs, draw in ((drawn.own, made, drawn.own_draw), (drawn.redrawn, left, drawn.redraw)):
        assert ours.shape == theirs.shape
        assert float(theirs.std()) == pytest.approx(draw.std, rel=0.08)
        oracle = stats.norm(scale=draw.std) if draw.kind == "normal" else stats.uniform(-draw.reach, 2 * draw.reach)
        for values in (ours, theirs):
            assert stats.kstest(values.flatten(), oracle.cdf)[1] > 1e-3
    assert not torch.equal(drawn.own, drawn.redrawn)


def test_expectations_are_those_of_the_papers():
    base = wx.BASE
    assert own_draw(base, "q_proj").reach == pytest.approx(math.sqrt(6 / (768 + 768)) / math.sqrt(2))
    assert own_draw(base, "out_proj").reach == pytest.approx(math.sqrt(6 / (768 + 768)))
    assert own_draw(base, "fc2").reach == pytest.approx(1 / math.sqrt(3072))
    assert own_draw(base, "grep_linear").reach == pytest.approx(1 / 8)
    assert own_draw(base, TABLE) == Draw("normal", math.sqrt(2 / (320 + 12)))


def test_a_seed_is_a_draw_and_takes_none_of_others():
    state = torch.get_rng_state()
    first, other, again = (initial_weights(WIDE, "k_proj", seed) for seed in (0, 1, 0))
    assert torch.equal(first.own, again.own)
    assert torch.equal(first.redrawn, again.redrawn)
    assert not torch.equal(first.own, other.own)
    assert torch.equal(torch.get_rng_state(), state)


def test_names_are_what_the_model_has():
    assert weight_names(VARIANTS["no positions"])[-1] == "fc2"
    assert weight_names(VARIANTS["no gate"])[-2:] == ("fc2", TABLE)
    for make in (lambda: initial_weights(VARIANTS["no gate"], "grep_linear"), lambda: learned_weight(
        make_trace(VARIANTS["no positions"]).model, 0, TABLE
    )):  # fmt: skip
        with pytest.raises(ValueError, match="expected one of q_proj"):
            make()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_captions_and_arrays_say_the_same(name):
    trace = make_trace(VARIANTS["glu"])
    before = digest(trace.model)
    histograms, _, by_layer = show(trace, layer=1, initial_weight=name, initial_draw=4)
    learned = weight_of(trace.model.encoder.block(0 if name == TABLE else 1), name)
    arrays = histograms.arrays()
    assert np.array_equal(arrays["checkpoint"], learned)
    assert np.array_equal(arrays["drawn_again"], initial_weights(trace.model.config, name, 4).redrawn)
    assert f"{learned.numel():,} numbers" in histograms.caption
    assert f"in {'all layers' if name == TABLE else 'layer 1'}, it is {float(learned.std()):.4f}" in histograms.caption
    own, again, last = (axes.patches[0].get_data() for axes in histograms.picture.axes)
    for drawn, values in ((own, arrays["own_draw"]), (again, arrays["drawn_again"])):
        assert np.allclose(drawn.values, np.histogram(values, drawn.edges, density=True)[0], rtol=0.02)
    assert np.array_equal(own.edges, again.edges)
    has_own_scales = float(learned.abs().max()) > 3 * own.edges[-1]
    assert ("other scales" in histograms.picture.axes[2].get_title(loc="left")) == has_own_scales
    assert np.array_equal(own.edges, last.edges) != has_own_scales
    spreads = by_layer.arrays()
    assert TABLE not in spreads
    for each, stds in spreads.items():
        by_hand = [float(weight_of(trace.model.encoder.block(layer), each).std()) for layer in range(3)]
        assert stds.tolist() == pytest.approx(by_hand)
    assert learned_spreads(trace.model) is learned_spreads(trace.model)
    assert digest(trace.model) == before


def test_curves_are_densities():
    places = np.linspace(-1, 1, 101)
    assert np.allclose(densities(Draw("normal", 0.3), places), stats.norm.pdf(places, scale=0.3))
    uniform = Draw("uniform", 0.25)
    assert np.allclose(densities(uniform, places), stats.uniform.pdf(places, -uniform.reach, 2 * uniform.reach))


def test_what_the_lesson_says_to_try_is_so():
    model = wx.load_model("nano")
    drawn, learned = initial_weights(model.config, TABLE), learned_weight(model, 3, TABLE)
    assert "eight times narrower" in VIEW.lesson.try_this
    assert drawn.own_draw.std / 0.02 == pytest.approx(8, abs=0.5)
    assert "fifty times as wide" in VIEW.lesson.try_this
    assert 50 < float(learned.std()) / 0.02 < 60
