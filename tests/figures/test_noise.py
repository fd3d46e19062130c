"""Pictures of quantisation noise, against the noise."""

import dataclasses

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from models import VARIANTS
from oracles import TINY
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.effects import attention_change
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures import attention_change as maps_of_change
from wavlm_explorer.figures.attention_change import MAP_CELLS, difference_reach
from wavlm_explorer.figures.noise import MASK_CELLS, WEIGHT_CELLS
from wavlm_explorer.noise import TABLE_NAME, Noise, noised_pass, relative_changes
from wavlm_explorer.noise_effects import attention_moved
from wavlm_explorer.wording import name_growth, name_length, name_share

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


def test_a_table_has_buckets_and_heads():
    noised = noised_pass(make_trace(), Noise(0, TABLE_NAME, 0.5, 1))
    axes = panels(figures.noise_mask(noised))[0]
    assert axes.get_title(loc="left") == "Bias table · mask"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("head", "bucket")
    assert [axes.get_xlabel() for axes in panels(figures.noise_weight(noised))[:2]] == ["head", "head"]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_attention_before_and_after_and_their_difference(palette):
    trace = make_trace()
    noised = noised_pass(trace, NOISE)
    change = attention_change(trace, noised.trace, 1, 2, MAP_CELLS)
    maps = [panel for panel in panels(figures.noise_attention(trace, change, palette=palette)) if panel.images]
    before, after, difference = (panel.images[0] for panel in maps if panel.get_title(loc="left"))
    clean, noisy = trace.attention(1, 2)[0], noised.trace.attention(1, 2)[0]
    assert not np.array_equal(clean, noisy)
    assert np.array_equal(before.get_array(), clean)
    assert np.array_equal(after.get_array(), noisy)
    assert np.array_equal(difference.get_array(), noisy - clean)
    assert difference.norm.vmax == -difference.norm.vmin >= float((noisy - clean).abs().max())
    assert (before.norm.vmin, before.norm.vmax) == (0, 1)


def test_long_maps_are_drawn_pooled(monkeypatch):
    monkeypatch.setattr(maps_of_change, "MAP_CELLS", 10)
    trace = make_trace()  # 24 frames
    change = attention_change(trace, noised_pass(trace, NOISE).trace, 1, 2, 10)
    picture = figures.noise_attention(trace, change)
    assert panels(picture)[0].images[0].get_array().shape == (8, 8)
    assert any("largest of 3 × 3" in text.get_text() for text in picture.texts)


def heights(axes) -> list[float]:
    return [patch.get_height() for container in axes.containers for patch in container.patches]


@pytest.mark.parametrize("config", [TINY, VARIANTS["pre-norm"]], ids=["post-norm", "pre-norm"])
def test_bars_are_the_relative_changes_and_dots_the_heads(config):
    trace = make_trace(config)
    noised, moved = noised_pass(trace, NOISE), attention_moved(trace, NOISE)
    states, output = relative_changes(trace, noised.trace)
    above, below = panels(figures.noise_effect(trace, noised, moved, 2))
    assert heights(above) == pytest.approx([*(100 * states).tolist(), 100 * output])
    assert heights(above)[:2] == [0, 0]
    assert min(heights(above)[2:]) > 0
    assert heights(below) == pytest.approx((100 * moved[1:].mean(dim=1)).tolist())
    *heads, chosen = (line.get_ydata() for line in below.lines)
    assert np.allclose(np.stack(heads, axis=1), 100 * moved[1:])
    assert np.allclose(chosen, 100 * moved[1:, 2])
    assert [label.get_text() for label in below.get_xticklabels()] == ["0", "1", "2"]
    assert below.get_xlim() == above.get_xlim()


def test_each_layer_in_turn_is_a_bar_and_one_stands_out():
    changes = torch.tensor([0.1, 0.3, 0.05])
    (axes,) = panels(figures.noise_sweep(changes, "fc2", 0.2, 1))
    assert heights(axes) == pytest.approx([10, 30, 5])
    assert len({patch.get_facecolor() for patch in axes.patches}) == 2
    assert axes.patches[1].get_facecolor() == to_rgba(LIGHT.accent)
    assert "fc2" in axes.get_title(loc="left")
    many = panels(figures.noise_sweep(torch.linspace(0, 0.4, 24), "fc2", 0.2, 3, DARK))[0]
    assert sorted(text.get_text() for text in many.texts) == ["40%", "5.2%"]


def test_round_numbers():
    assert [difference_reach(size) for size in (0, 3e-9, 0.011, 0.05, 0.3, 0.7, 1)] == [1, 1e-6, 0.02, 0.05, 0.5, 1, 1]
    assert [name_share(share) for share in (1, 0.354, 0.0052, 0)] == ["100%", "35%", "0.52%", "0%"]
    assert [name_length(ratio) for ratio in (0.354, 12.4)] == ["35% of its length", "12 times its length"]
    assert [name_growth(p, 50) for p in (0, 0.1, 0.25, 0.5)] == ["1", "194", "1,765,781", "1.1e+15"]
