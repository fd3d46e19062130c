"""Pictures of quantisation noise, against the noise."""

import dataclasses

import numpy as np
import pytest
from models import VARIANTS
from oracles import TINY
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.noise import MASK_CELLS, WEIGHT_CELLS, difference_reach, name_growth, name_share
from wavlm_explorer.noise import Noise, noised_pass, relative_changes

NOISE = Noise(1, "k_proj", 0.3, 4, 2)


def test_mask_and_weight_are_drawn_entry_by_entry():
    noised = noised_pass(make_trace(), Noise(1, "fc2", 0.3, 4, 2))
    mask = panels(figures.noise_mask(noised))[0].images[0].get_array()
    assert np.array_equal(mask, noised.mask[:MASK_CELLS, :MASK_CELLS])
    before, after = (axes.images[0] for axes in panels(figures.noise_weight(noised))[:2])
    assert np.array_equal(before.get_array(), noised.before[:WEIGHT_CELLS, :WEIGHT_CELLS])
    assert np.array_equal(after.get_array(), noised.after[:WEIGHT_CELLS, :WEIGHT_CELLS])
    assert (before.norm.vmin, before.norm.vmax) == (after.norm.vmin, after.norm.vmax)
    assert before.norm.vmax >= float(noised.after[:WEIGHT_CELLS, :WEIGHT_CELLS].abs().max())


def test_a_corner_of_a_large_weight_says_so():
    wide = dataclasses.replace(TINY, encoder_embed_dim=240, encoder_layers=1)
    noised = noised_pass(make_trace(wide, 0.3), Noise(0, "q_proj", 0.5, 8))
    axes = panels(figures.noise_mask(noised))[0]
    assert axes.images[0].get_array().shape == (MASK_CELLS, MASK_CELLS)
    assert axes.get_title(loc="right") == "192 × 192 of 240 × 240"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_attention_before_and_after_and_their_difference(palette):
    trace = make_trace()
    noised = noised_pass(trace, NOISE)
    maps = [panel for panel in panels(figures.noise_attention(trace, noised, 1, 2, palette=palette)) if panel.images]
    before, after, difference = (panel.images[0] for panel in maps if panel.get_title(loc="left"))
    clean, noisy = trace.attention(1, 2)[0], noised.trace.attention(1, 2)[0]
    assert not np.array_equal(clean, noisy)
    assert np.array_equal(before.get_array(), clean)
    assert np.array_equal(after.get_array(), noisy)
    assert np.array_equal(difference.get_array(), noisy - clean)
    assert difference.norm.vmax == -difference.norm.vmin >= float((noisy - clean).abs().max())
    assert (before.norm.vmin, before.norm.vmax) == (0, 1)


def test_bars_are_the_relative_changes():
    for config in (TINY, VARIANTS["pre-norm"]):
        trace = make_trace(config)
        noised = noised_pass(trace, NOISE)
        states, output = relative_changes(trace, noised.trace)
        axes = panels(figures.noise_effect(trace, noised))[0]
        heights = [patch.get_height() for container in axes.containers for patch in container.patches]
        assert heights == pytest.approx([*(100 * states).tolist(), 100 * output])
        assert heights[:2] == [0, 0]
        assert min(heights[2:]) > 0


@pytest.mark.parametrize("p", [0, 0.05, 0.1, 0.5, 0.9, 0.99])
def test_survival_and_growth_are_powers(p):
    growth, survival = panels(figures.noise_over_steps(p))[0].lines[1:3]
    steps = growth.get_xdata()
    assert steps[0] == 0
    assert 1 <= steps[-1] <= 50
    assert np.allclose(growth.get_ydata(), (1 / (1 - p)) ** steps)
    assert np.allclose(survival.get_ydata(), (1 - p) ** steps)
    figures.noise_over_steps(p, DARK).to_bytes("png", 40)


def test_a_chance_of_one_is_refused():
    with pytest.raises(ValueError, match="0 <= p < 1"):
        figures.noise_over_steps(1.0)


def test_round_numbers():
    assert [difference_reach(size) for size in (0, 3e-9, 0.011, 0.05, 0.3, 0.7, 1)] == [1, 1e-6, 0.02, 0.05, 0.5, 1, 1]
    assert [name_share(share) for share in (1, 0.354, 0.0052, 0)] == ["100%", "35%", "0.52%", "0%"]
    assert [name_growth(p, 50) for p in (0, 0.1, 0.25, 0.5)] == ["1", "194", "1,765,781", "1.1e+15"]
