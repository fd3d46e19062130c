"""Pictures of what interventions do: their numbers, scales and names."""

import numpy as np
import pytest
from matplotlib.colors import PowerNorm
from traces import make_trace, panels

from wavlm_explorer.effects import head_importance, moved_by_head, state_changes
from wavlm_explorer.figures import (
    DARK,
    effect_by_layer,
    effect_on_attention,
    effect_on_heads,
    effect_over_time,
    importance_of_heads,
)
from wavlm_explorer.interventions import ContentOff, HeadsOff


@pytest.fixture(scope="module")
def pair():
    trace = make_trace()
    return trace, trace.what_if([ContentOff(layers=1)])


def test_the_maps_and_their_difference_are_drawn(pair):
    before, after = pair
    figure = effect_on_attention(before, after, 1, 2, DARK)
    first, second, difference = (axes for axes in panels(figure) if axes.images)
    a, b = (trace.attention(1, 2)[0].numpy() for trace in pair)
    assert np.array_equal(first.images[0].get_array(), a)
    assert np.array_equal(second.images[0].get_array(), b)
    assert np.array_equal(difference.images[0].get_array(), b - a)
    reach = difference.images[0].norm.vmax
    assert f"±{reach:g}" in difference.get_title(loc="left")
    assert np.abs(b - a).max() <= reach
    assert first.images[0].norm.vmax == second.images[0].norm.vmax == 1


def test_rows_are_states_and_the_output_under_the_sound(pair):
    figure = effect_over_time(*pair)
    _, states = (axes for axes in panels(figure) if axes.images)
    assert np.array_equal(states.images[0].get_array(), state_changes(*pair).relative)
    assert isinstance(states.images[0].norm, PowerNorm)
    assert [label.get_text() for label in states.get_yticklabels()] == ["in", "0", "1", "2", "out"]
    assert "time (s)" in states.get_xlabel()


def test_bars_are_relative_changes_and_the_line_cosines(pair):
    moved, turned = panels(effect_by_layer(*pair))
    heights = [bar.get_height() for bar in moved.patches]
    assert heights[:2] == [0, 0]
    before, after = (trace.output.numpy() for trace in pair)
    assert heights[-1] == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-5)
    assert np.allclose(turned.lines[0].get_ydata(), state_changes(*pair).cosine.mean(dim=1))


def test_nothing_moved_can_be_drawn(pair):
    before, _ = pair
    same = before.what_if([HeadsOff(layers=[])])
    for figure in (
        effect_by_layer(before, same),
        effect_over_time(before, same),
        effect_on_attention(before, same, 0, 0),
    ):
        assert figure.to_bytes("png", 30).startswith(b"\x89PNG")


def test_heads_are_layers_down_and_heads_across_with_one_framed(pair):
    moved = moved_by_head(*pair)
    axes, _ = panels(effect_on_heads(moved, 1, 2))
    assert np.array_equal(axes.images[0].get_array(), moved)
    assert [text.get_text() for text in axes.texts][3] == f"{100 * float(moved[1, 0]):.2g}%"
    (frame,) = axes.lines
    assert (min(frame.get_xdata()), max(frame.get_ydata())) == (1.5, 1.5)


def test_importance_stands_beside_a_measure(pair):
    trace, _ = pair
    importance, span = head_importance(trace), trace.measures()["span_ms"]
    first, second = (axes for axes in panels(importance_of_heads(importance, span, "span (ms)", 0, 1)) if axes.images)
    assert np.array_equal(first.images[0].get_array(), importance)
    assert np.array_equal(second.images[0].get_array(), span)
    assert "Span (ms)" in second.get_title(loc="left")
    assert first.images[0].norm.vmin == 0
