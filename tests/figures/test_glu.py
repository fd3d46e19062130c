"""Pictures of gated linear units, against the unit."""

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.demonstration import NUM_CHANNELS, demonstration_glu, demonstration_terms
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.glu import CLOSED, channel_order, gate_summary
from wavlm_explorer.figures.time_axes import frame_edges
from wavlm_explorer.figures.tracks import pool_tracks, tracks_note
from wavlm_explorer.modules import GLUTerms
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS

KINDS = list(GLU_ACTIVATIONS)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_maps_hold_the_terms_in_their_order(palette):
    trace = make_trace(VARIANTS["glu"], start=1.0)
    terms = trace.glu(1)
    axes = panels(figures.glu_terms(trace, terms, "unit", palette))
    order = channel_order(terms)
    means = terms.gate.mean(dim=0)[order]
    assert (means.diff() <= 0).all()
    maps = [panel for panel in axes[1:] if len(panel.images) == 1 and panel.get_title(loc="left")]
    assert [panel.get_title(loc="left").split()[0] for panel in maps] == ["value", "gate", "output"]
    for panel, term in zip(maps, (terms.value, terms.gate, terms.output), strict=True):
        image = panel.images[0]
        assert np.array_equal(image.get_array(), term.T[order])
        assert image.get_extent()[:2] == pytest.approx(frame_edges(trace))
        assert image.norm.vmax == pytest.approx(float(term.abs().flatten().quantile(0.99)))


@pytest.mark.parametrize("kind", KINDS)
def test_gates_that_cannot_be_negative_start_at_black(kind):
    trace = make_trace()
    image = panels(figures.glu_terms(trace, demonstration_terms(trace, 0, kind)))[3].images[0]
    signed = kind in ("swish", "gelu", "bilinear")
    assert image.cmap.name == (LIGHT.signed if signed else LIGHT.weights)
    assert image.norm.vmin == (-image.norm.vmax if signed else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_summary_counts(kind):
    terms = demonstration_terms(make_trace(), 1, kind)
    gate, summary = terms.gate.numpy(), gate_summary(terms)
    assert summary.closed == pytest.approx(np.mean(np.abs(gate) < CLOSED))
    assert summary.negative == pytest.approx(np.mean(gate < 0))
    assert summary.mean == pytest.approx(gate.mean(), abs=1e-6)
    assert summary.closed + summary.open + summary.reversed == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bars_add_up_to_the_shares(kind):
    terms = demonstration_terms(make_trace(seconds=2), 1, kind)
    gates = panels(figures.gate_histogram(terms))[1]
    summary = gate_summary(terms)
    by_colour = {LIGHT.muted: summary.closed, LIGHT.accent: summary.open, LIGHT.contrast: summary.reversed}
    bars = dict.fromkeys(by_colour, 0.0)
    for container in gates.containers:
        colour = container.patches[0].get_facecolor()
        name = "#" + bytes(round(255 * part) for part in colour[:3]).hex()
        bars[name] += sum(patch.get_height() for patch in container.patches)
    for colour, share in by_colour.items():
        assert bars[colour] == pytest.approx(share, abs=0.004)  # 0.2 % lie beyond the ends


def test_the_curve_is_the_activation():
    terms = demonstration_terms(make_trace(), 1, "swish")
    curve = next(line for line in panels(figures.gate_histogram(terms))[0].lines if line.get_color() == LIGHT.accent)
    inputs = torch.tensor(curve.get_xdata())
    assert torch.allclose(torch.tensor(curve.get_ydata()), inputs * torch.sigmoid(inputs), atol=1e-6)


@pytest.mark.parametrize("gate", [0.0, 1.0, -2.0])
def test_gates_that_are_all_alike_can_be_drawn(gate):
    trace = make_trace()
    alike = torch.full((trace.num_frames, 6), gate)
    terms = GLUTerms(alike, alike, alike, alike * alike)
    figures.glu_terms(trace, terms).to_bytes("png", 20)
    figures.gate_histogram(terms).to_bytes("png", 20)


def test_the_demonstration_is_always_the_same_and_draws_nothing_from_others():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, second = demonstration_glu(24, "relu"), demonstration_glu(24, "relu")
    assert torch.equal(first.linear.weight, second.linear.weight)
    assert torch.equal(torch.get_rng_state(), state)
    assert float(first.linear.weight.std()) == pytest.approx(24**-0.5, rel=0.1)


def test_the_demonstration_runs_on_the_real_input():
    trace = make_trace()
    terms = demonstration_terms(trace, 2, "sigmoid")
    inputs = trace.feed_forward_input(2)
    assert terms.gate.shape == (trace.num_frames, NUM_CHANNELS)
    assert torch.allclose(demonstration_glu(24, "sigmoid")(inputs), terms.output)


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
