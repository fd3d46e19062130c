"""Pictures of the learned bias, against the table."""

import numpy as np
import pytest
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.bias import coarse_bias, learned_bias, preferences
from wavlm_explorer.buckets import BucketSettings
from wavlm_explorer.figures import LIGHT

OTHER = BucketSettings(8, 20)


def test_curves_and_map_hold_the_table():
    trace = make_trace()
    curves = learned_bias(trace)
    lines, heads, _ = panels(figures.bias_curves(trace, -1))
    chosen = [line for line in lines.lines if line.get_color() == LIGHT.accent]
    assert np.array_equal(chosen[0].get_ydata(), curves.bias[2])
    assert np.array_equal(chosen[0].get_xdata(), curves.distances_ms)
    mesh = heads.collections[0]
    assert np.array_equal(mesh.get_array(), curves.bias)
    assert lines.get_xlim() == heads.get_xlim()
    assert lines.get_xscale() == heads.get_xscale() == "symlog"
    assert mesh.norm.vmax == -mesh.norm.vmin == float(curves.bias.abs().max())


def test_what_other_settings_can_say_is_drawn_over_the_curve():
    trace = make_trace()
    lines = panels(figures.bias_curves(trace, 1, OTHER))[0]
    (coarse,) = (line for line in lines.lines if line.get_color() == LIGHT.contrast)
    assert np.array_equal(coarse.get_ydata(), coarse_bias(trace, OTHER).bias[1])
    assert "8 rows, max distance 20" in lines.get_legend().get_texts()[0].get_text()
    assert panels(figures.bias_curves(trace, 1))[0].get_legend() is None


def test_preferences_are_drawn_as_they_are():
    trace = make_trace(seconds=2.5)
    found = preferences(trace)
    (peaks,), (bars,) = panels(figures.head_peaks(trace, 1)), panels(figures.head_shares(trace, 1))
    dots = [line for line in peaks.lines if line.get_marker() == "o"]
    assert [float(line.get_xdata()[0]) for line in dots] == found.peak_ms.tolist()
    spans = [line for line in peaks.lines if line.get_linewidth() == 5]
    assert [list(line.get_xdata()) for line in spans] == found.half_ms.tolist()
    widths = np.array([bar.get_width() for bar in bars.patches]).reshape(5, -1)
    assert np.allclose(widths[:, :-1].T, found.shares)
    assert np.allclose(widths[:, -1], found.even_shares)
    assert np.allclose(widths.sum(axis=0), 1)
    for axes in (peaks, bars):
        assert [label.get_text() for label in axes.get_yticklabels() if label.get_fontweight() == "bold"] == ["1"]


def test_a_head_without_a_preference_has_no_peak():
    trace = make_trace()
    trace.model.encoder.block(0).self_attn.relative_attention_bias.weight.data[:, 1] = 0.5
    peaks = panels(figures.head_peaks(trace, 0))[0]
    assert len([line for line in peaks.lines if line.get_marker() == "o"]) == 2
    assert [text.get_text() for text in peaks.texts].count("no preference") == 1


@pytest.mark.parametrize("draw", [figures.bias_curves, figures.head_peaks, figures.head_shares])
def test_a_head_that_is_not_there_is_named(draw):
    with pytest.raises(IndexError):
        draw(make_trace(), 3)


@pytest.mark.parametrize("draw", [figures.bias_curves, figures.head_peaks, figures.head_shares])
def test_no_positions_no_curves(draw):
    with pytest.raises(ValueError, match="relative positions"):
        draw(make_trace(VARIANTS["no positions"]), 0)
