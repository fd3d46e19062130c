"""What the pictures of a checkpoint show."""

import numpy as np
import pytest
import torch

from wavlm_explorer.bias import BiasCurves
from wavlm_explorer.figures.checkpoint import bias_table, tensor_sizes, weight_histograms
from wavlm_explorer.figures.layers import LayerProfile, compare_choices, layer_profile
from wavlm_explorer.figures.style import DARK, LIGHT


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_sizes_are_shown_against_the_median_of_their_row(palette):
    figure = tensor_sizes({"fc1": [1.0, 2.0, 8.0, np.nan], "fc2": [3.0, 3.0, 0.0, 3.0]}, palette)
    axes = figure.axes[0]
    colours = axes.images[0].get_array()
    assert isinstance(colours, np.ma.MaskedArray)
    shown = colours.filled(np.nan)
    np.testing.assert_allclose(shown, [[-1, 0, 2, np.nan], [0, 0, np.nan, 0]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fc1", "fc2"]
    assert len(axes.lines) == 1  # the missing one
    assert [text.get_text() for text in axes.texts] == ["0"]
    assert figure.to_bytes("png")


def test_histograms_are_shares_in_standard_deviations():
    numbers = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    figure = weight_histograms({"q_proj": {0: numbers, 1: 2 * numbers}}, [("q_proj", 1)])
    narrow, wide = figure.axes[0].lines[:2]
    unit = 1.5  # the median of both spreads
    assert np.nansum(narrow.get_ydata()) == pytest.approx(1, abs=1e-3)
    x, share = np.asarray(wide.get_xdata()), np.asarray(wide.get_ydata())
    assert np.abs(x[~np.isnan(share)]).max() > 4 / unit
    assert wide.get_color() == LIGHT.accent
    assert narrow.get_color() == LIGHT.contrast
    assert figure.to_bytes("png")


def test_nothing_to_draw_is_no_error():
    assert weight_histograms({}).to_bytes("png")


def test_the_table_is_drawn_over_distance():
    distances = torch.arange(-40, 41) * 20.0
    curves = BiasCurves(distances, torch.randn(3, 81, generator=torch.Generator().manual_seed(0)))
    figure = bias_table(curves)
    mesh = figure.axes[0].collections[0]
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(3, 81), curves.bias)
    low, high = mesh.get_clim()
    assert low == -high  # zero is in the middle
    assert figure.to_bytes("png")


def profile(scale):
    return LayerProfile(
        torch.tensor([1.0, 2.0, 3.0]) * scale,
        torch.tensor([5.0, 6.0, 7.0]) * scale,
        torch.tensor([0.9, 0.8]),
        torch.tensor([0.3, 0.4]),
        torch.tensor([0.9, 0.8, 0.7]),
    )


def test_the_limit_of_half_precision_is_drawn_where_it_is_near():
    assert "half precision ends" not in [text.get_text() for text in layer_profile(profile(1)).axes[0].texts]
    figure = layer_profile(profile(1000), DARK)
    assert "half precision ends" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.to_bytes("png")


def test_choices_stand_side_by_side():
    figure = compare_choices({"as it is (config)": profile(1), "normalised": profile(50)})
    assert [line.get_label() for line in figure.axes[0].lines] == ["as it is (config)", "normalised"]
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].lines[0].get_color() == LIGHT.accent
    assert figure.to_bytes("png")
