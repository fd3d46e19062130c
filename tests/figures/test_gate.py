"""Pictures of the gate, against what the trace says."""

import numpy as np
import pytest
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.gate import WINDOW_SECONDS
from wavlm_explorer.figures.time_axes import frame_edges
from wavlm_explorer.gates import GATE_SOURCES, compounded_gates, gate_from, gated_rows, gates_by_layer, head_gate

FRAME = 9


@pytest.fixture(scope="module")
def trace():
    return make_trace(seconds=0.8, start=1.0)


def curves(axes, colour) -> list[np.ndarray]:
    """The curves of a colour, as drawn; marks at one place are not curves."""
    drawn = [line for line in axes.lines if line.get_color() == colour]
    return [np.asarray(line.get_ydata()) for line in drawn if len(np.atleast_1d(line.get_ydata())) > 2]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_one_head_stands_out_among_all(trace, palette):
    sound, axes = panels(figures.gate_over_time(trace, 1, 2, FRAME, palette))
    gates = trace.gate(1)
    (chosen,) = curves(axes, palette.accent)
    assert np.array_equal(chosen, gates[2])
    assert np.array_equal(curves(axes, palette.muted), gates[:2])
    assert sound.get_xlim() == axes.get_xlim() == pytest.approx(frame_edges(trace))


def test_the_frame_is_marked_on_every_axis_of_time(trace):
    rows = gated_rows(trace, 1, 2, FRAME)
    for picture in (
        figures.gate_over_time(trace, 1, 2, FRAME),
        figures.gate_bias(trace, rows, FRAME),
        figures.gate_attention(trace, rows, FRAME),
        figures.gate_paths(trace, {"paper": gate_from(trace, 1, "paper")[2]}, FRAME),
    ):
        for axes in panels(picture):
            marks = [line for line in axes.lines if list(line.get_ydata()) == [0, 1]]
            assert [mark.get_xdata()[0] for mark in marks] == pytest.approx([float(trace.frame_times[FRAME])])
        assert picture.axes[1].get_xlabel().endswith("(s)")


def test_bars_are_the_projections_and_dots_the_frames(trace):
    parts = head_gate(trace, 2, 1)
    bars, formula = panels(figures.gate_parts(trace, parts, FRAME))
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(parts.terms.features[FRAME].tolist())
    cloud, dot = formula.lines
    assert np.array_equal(cloud.get_xdata(), parts.terms.b)
    assert np.array_equal(cloud.get_ydata(), parts.terms.a)
    assert [*dot.get_xdata(), *dot.get_ydata()] == pytest.approx(
        [float(parts.terms.b[FRAME]), float(parts.terms.a[FRAME])]
    )


@pytest.mark.parametrize("scale", [-0.7, 1.0, 2.5])
def test_the_formula_s_corners(scale):
    (axes,) = panels(figures.gate_formula(scale))
    gates = np.asarray(axes.images[0].get_array())
    assert gates[0] == pytest.approx(2)
    assert [gates[-1, 0], gates[-1, -1]] == pytest.approx([1, 1 + scale])
    assert [text.get_text() for text in axes.texts] == ["1", f"{1 + scale:.3g}", "2"]
    norm = axes.images[0].norm
    assert norm.vmin is not None
    assert norm.vmax is not None
    assert norm.vmin + norm.vmax == pytest.approx(2)


def test_rows_under_other_gates_are_told_apart(trace):
    rows = gated_rows(trace, 0, 1, FRAME)
    for draw, values in ((figures.gate_bias, rows.position), (figures.gate_attention, rows.weights)):
        axes = panels(draw(trace, rows, FRAME))[1]
        styles = [(LIGHT.accent, 0), (LIGHT.muted, 1), (LIGHT.contrast, 2), (LIGHT.ink, 3)]
        for colour, row in styles:
            assert np.array_equal(curves(axes, colour)[0], values[row])
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        assert labels == [f"gate {float(rows.gates[0]):.2f}, as it is", "0", "1", "2"]


@pytest.mark.parametrize("frame", [0, 400, -1])
def test_a_long_clip_is_shown_around_the_frame(frame):
    trace = make_trace(seconds=15.0)
    rows = gated_rows(trace, 0, 0, frame)
    first, last = panels(figures.gate_attention(trace, rows, frame))[1].get_xlim()
    assert last - first == pytest.approx(WINDOW_SECONDS)
    assert first <= float(trace.frame_times[frame]) <= last
    begin, end = frame_edges(trace)
    assert begin - 1e-4 <= first
    assert last <= end + 1e-4


def test_three_paths_have_their_colours(trace):
    gates = {source: gate_from(trace, 1, source)[0] for source in GATE_SOURCES}
    axes = panels(figures.gate_paths(trace, gates, FRAME))[1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(GATE_SOURCES)
    for source, colour in (("fast path", LIGHT.accent), ("slow path", LIGHT.ink), ("paper", LIGHT.contrast)):
        assert np.array_equal(curves(axes, colour)[0], gates[source])


def test_what_compounds_and_what_does_not(trace):
    fast, slow = gates_by_layer(trace, FRAME), compounded_gates(trace, FRAME)
    (axes,) = panels(figures.gate_compounding(fast, slow, 1, 0))
    assert np.array_equal(curves(axes, LIGHT.ink)[0], slow[:, 0])
    assert np.array_equal(curves(axes, LIGHT.accent)[0], fast[:, 0])
    assert np.array_equal([row for row in curves(axes, LIGHT.muted) if len(row) > 2], slow[:, 1:].T)
    lowest, highest = axes.get_ylim()
    assert lowest < float(slow.min()) < float(slow.max()) < highest


def test_gates_below_zero_can_be_drawn():
    trace = make_trace(VARIANTS["pre-norm"])
    for layer in range(3):
        trace.model.encoder.block(layer).self_attn.grep_a.data[:] = -9
    slow = compounded_gates(trace, 3)
    assert float(slow.min()) < 0
    figures.gate_compounding(gates_by_layer(trace, 3), slow, 0, 0).to_bytes("png", 20)
    axes = panels(figures.gate_over_time(trace, 0, 0, 3))[1]
    assert axes.get_ylim()[0] <= float(trace.gate(0).min()) < 0
