"""Pictures of a unit over time, against the unit."""

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.demonstration import demonstration_terms
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.glu import kind_colours
from wavlm_explorer.figures.time_axes import frame_edges
from wavlm_explorer.figures.tracks import pool_tracks, tracks_note
from wavlm_explorer.glu import gate_shares, rank_channels
from wavlm_explorer.modules import GLUTerms
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_maps_hold_the_terms_by_rank_under_the_spectrogram(palette):
    trace = make_trace(VARIANTS["glu"], start=1.0)
    terms = trace.glu(1)
    axes = panels(figures.glu_terms(trace, terms, "unit", palette))
    order = rank_channels(terms).order
    assert axes[0].images
    for panel in axes[:5]:
        assert panel.get_xlim() == pytest.approx(frame_edges(trace))
    maps = axes[2:5]
    assert [panel.get_title(loc="left").split()[0] for panel in maps] == ["value", "gate", "output"]
    for panel, term in zip(maps, (terms.value, terms.gate, terms.output), strict=True):
        image = panel.images[0]
        assert np.array_equal(image.get_array(), term.T[order])
        assert image.get_extent()[:2] == pytest.approx(frame_edges(trace))
        assert image.norm.vmax == pytest.approx(float(term.abs().flatten().quantile(0.99)))


def test_each_frame_s_shares_are_drawn():
    trace = make_trace(VARIANTS["glu"])
    terms = trace.glu(1)
    lines = panels(figures.glu_terms(trace, terms))[1].lines
    for line, share, colour in zip(lines, gate_shares(terms.gate, dim=1), kind_colours(LIGHT), strict=True):
        assert line.get_color() == colour
        assert np.allclose(line.get_xdata(), trace.frame_times)
        assert np.allclose(line.get_ydata(), share)


@pytest.mark.parametrize("kind", list(GLU_ACTIVATIONS))
def test_gates_that_cannot_be_negative_start_at_black(kind):
    trace = make_trace()
    image = panels(figures.glu_terms(trace, demonstration_terms(trace, 0, kind)))[3].images[0]
    signed = kind in ("swish", "gelu", "bilinear")
    assert image.cmap.name == (LIGHT.signed if signed else LIGHT.weights)
    assert image.norm.vmin == (-image.norm.vmax if signed else 0)


def test_one_channel_s_value_gate_and_output_are_drawn_and_the_frame_is_marked():
    trace = make_trace(VARIANTS["glu"])
    terms = trace.glu(2)
    sound, gates, values = panels(figures.glu_channel(trace, terms, 7, 4))
    assert sound.images
    (gate,) = (line for line in gates.lines if len(line.get_xdata()) > 2)
    assert np.array_equal(gate.get_ydata(), terms.gate[:, 7])
    value, output = (line for line in values.lines if len(line.get_xdata()) > 2)
    assert np.array_equal(value.get_ydata(), terms.value[:, 7])
    assert np.array_equal(output.get_ydata(), terms.output[:, 7])
    for axes in (sound, gates, values):
        marks = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert [line.get_xdata()[0] for line in marks] == pytest.approx([float(trace.frame_times[4])])
    with pytest.raises(IndexError):
        figures.glu_channel(trace, terms, 999, 0)


@pytest.mark.parametrize("gate", [0.0, 1.0, -2.0])
def test_gates_that_are_all_alike_can_be_drawn(gate):
    trace = make_trace()
    alike = torch.full((trace.num_frames, 6), gate)
    terms = GLUTerms(alike, alike, alike, alike * alike)
    figures.glu_terms(trace, terms).to_bytes("png", 20)
    figures.glu_channel(trace, terms, 5, 0).to_bytes("png", 20)


def test_many_channels_are_pooled_and_the_picture_says_so():
    values = torch.randn(300, 2500)
    pooled = pool_tracks(values)
    assert pooled.shape == (100, 834)
    block = values[:3, :3].flatten()
    assert pooled[0, 0] == block[block.abs().argmax()]
    assert tracks_note(300, 2500) == "each cell is the largest of 3 channels × 3 frames"
    assert tracks_note(100, 900) == ""


def test_around_a_centre_the_furthest_stays():
    gates = torch.ones(1, 2002)
    gates[0, 3:6] = torch.tensor([0.2, 1.5, 1.1])
    pooled = pool_tracks(gates, centre=1.0)
    assert pooled[0, :3].tolist() == pytest.approx([1.0, 0.2, 1.0])
