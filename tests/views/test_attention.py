"""The Attention page's own numbers: a row, every head's measures, and what is saved of a long clip."""

from typing import Any

import numpy as np
import pytest
import torch
from traces import make_trace

from wavlm_explorer.figures import LIGHT
from wavlm_explorer.views import Exhibit, Table, attention
from wavlm_explorer.views.attention import VIEW


def show(trace, **chosen) -> dict[str, Any]:
    """name -> item, of what has a name."""
    items = VIEW.exhibits(trace, LIGHT, **VIEW.defaults(trace) | chosen)
    return {item.name: item for item in items if isinstance(item, Exhibit | Table)}


@pytest.mark.parametrize("frame", [0, 9, 23])
def test_a_row_is_told_in_words_and_numbers(frame):
    trace = make_trace()
    row = show(trace, layer=2, head=1, frame=frame)["attention_row"]
    weights = trace.attention(2, 1)[0, frame].numpy()
    saved = row.arrays()
    np.testing.assert_allclose(saved["weights"], weights, rtol=1e-5)
    assert saved["frame"] == frame
    steps = int(weights.argmax()) - frame
    where = "at itself" if steps == 0 else f"{20 * abs(steps)} ms {'ahead' if steps > 0 else 'back'}"
    half = next(count for count in range(1, 25) if np.sort(weights)[::-1][:count].sum() >= 0.5)
    assert row.caption == (
        f"Frame {frame}, at {0.0125 + 0.02 * frame:.2f} s, looks most {where}, with weight {weights.max():.2f}. "
        f"{half} of 24 frames have half of its attention."
    )
    (curve,) = (line for line in row.picture.axes[1].lines if len(line.get_xdata()) == 24)
    np.testing.assert_array_equal(curve.get_ydata(), saved["weights"])
    np.testing.assert_allclose(curve.get_xdata(), trace.frame_times, rtol=1e-6)


def test_the_table_holds_every_measure_of_every_head():
    trace = make_trace()
    table = show(trace)["all_heads"]
    measures = trace.measures()
    expected = torch.stack([measures[name] for name in attention.MEASURE_COLUMNS], dim=-1).flatten(0, 1)
    assert [row[:2] for row in table.rows] == [(layer, head) for layer in range(3) for head in range(3)]
    np.testing.assert_allclose([row[2:] for row in table.rows], expected, rtol=1e-3, atol=1e-6)
    assert len(table.columns) == 2 + expected.shape[1]


@pytest.mark.parametrize(("most", "factors"), [(25_000_000, (1, 1, 1)), (24 * 24, (1, 2, 3)), (200, (2, 3, 4))])
def test_a_long_clip_is_saved_pooled_and_says_so(monkeypatch, most, factors):
    trace = make_trace()
    monkeypatch.setattr(attention, "MOST_SAVED", most)
    shown = show(trace, layer=1, head=2)
    weights = trace.attention(1)
    whole = {
        "attention_map": weights[2],
        "attention_heads": weights,
        "attention_terms": trace.attention_terms(1, 2).weights,
    }
    for (name, exact), factor in zip(whole.items(), factors, strict=True):
        saved = shown[name].arrays()
        assert saved["frames_per_cell"] == factor
        first = exact[..., :factor, factor : 2 * factor].amax(dim=(-2, -1))
        np.testing.assert_allclose(saved["weights"][..., 0, 1], first, rtol=1e-6)
        assert saved["weights"].shape[-1] == -(-24 // factor)
        assert sum(array.size for array in saved.values()) <= 1.1 * most + 100
        assert (f"the largest of {factor} × {factor} frames" in shown[name].caption) == (factor > 1)
        if factor == 1:
            assert np.array_equal(saved["weights"], exact)
