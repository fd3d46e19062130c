"""What the browser gets of one head is enough to make its weights and its output again."""

from typing import Any

import numpy as np
import pytest
import torch
from blocks import unpack
from traces import make_trace

from wavlm_explorer import Trace
from wavlm_explorer.gates import GATE_SOURCES, gate_from
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
)
from wavlm_explorer.ui.viewer import stages
from wavlm_explorer.ui.viewer.payloads import make


def fetch(trace: Trace, layer: int, head: int, start: int, stop: int) -> dict[str, np.ndarray]:
    """Ask as the browser does."""
    wanted = {"layer": layer, "head": head, "start": start, "stop": stop}
    return unpack(make(trace, "stages", {name: str(number) for name, number in wanted.items()}))


def put_together(parts: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, weights and output, in float64, by the formulas that the browser uses."""
    size = len(parts["content_max"])
    content = parts["content"].astype(np.float64) + parts["content_max"][:, None]
    distances = np.arange(size) - np.arange(size)[:, None]
    logits = content + parts["gates"][0][:, None] * parts["bias"][distances + size - 1]
    logits = logits + parts["barred_distances"][distances + size - 1] + parts["barred_keys"]
    weights = np.exp(logits - logits.max(1, keepdims=True).clip(min=-1e30))
    weights *= (parts["share"] / weights.sum(1).clip(min=1e-30))[:, None]
    gathered = weights @ parts["value"] + parts["outside"]
    off = {"gathered": gathered, "nothing": 0 * gathered, "mean": np.tile(parts["mean"], (size, 1))}
    return logits, weights, off[str(parts["handed_on"])]


def head_output(trace: Trace, layer: int, head: int) -> torch.Tensor:
    """What a head gives to the layer's output projection."""
    attention = trace.model.encoder.block(layer).self_attn
    with torch.no_grad():
        return trace.attention(layer, head)[0] @ attention.project_value(trace.attention_input(layer)[:, None])[0, head]


@pytest.mark.parametrize("window", [(0, 39), (0, 7), (11, 30)])
def test_terms_give_the_weights_and_the_output_again(any_trace, window, monkeypatch):
    monkeypatch.setattr(stages, "rows_at_once", lambda *_: 4)
    assert any_trace.num_frames == 39
    frames = slice(*window)
    logits, weights, output = put_together(fetch(any_trace, 1, 2, *window))
    terms = any_trace.attention_terms(1, 2)
    np.testing.assert_allclose(logits, terms.logits[frames, frames], atol=2e-2)
    np.testing.assert_allclose(weights, terms.weights[frames, frames], atol=2e-3)
    np.testing.assert_allclose(output, head_output(any_trace, 1, 2)[frames], atol=1e-2)


def test_half_precision_costs_little_where_logits_are_large():
    trace = make_trace()
    attention = trace.model.encoder.block(0).self_attn
    with torch.no_grad():
        for parameter in attention.q_proj.parameters():
            parameter *= 40  # logits in the hundreds, as Large has them
    exact = trace.attention_terms(0, 0)
    assert exact.content.abs().max() > 100
    _, weights, _ = put_together(fetch(trace, 0, 0, 0, trace.num_frames))
    assert np.abs(weights - exact.weights.numpy()).max() < 2e-3


def test_numbers_to_check_by_are_the_model_s_own(tiny_trace, monkeypatch):
    monkeypatch.setattr(stages, "NUM_CHECKED", 5)
    monkeypatch.setattr(stages, "rows_at_once", lambda *_: 1)
    parts = fetch(tiny_trace, 2, 1, 4, 24)
    exact = tiny_trace.attention_terms(2, 1)
    assert parts["checked"].tolist() == [0, 5, 10, 14, 19]
    rows = parts["checked"] + 4
    np.testing.assert_allclose(parts["exact_logits"], exact.logits[rows, 4:24], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(parts["exact_weights"], exact.weights[rows, 4:24], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(parts["share"], exact.weights[4:24, 4:24].sum(1), rtol=1e-5)


def test_every_gate_travels(tiny_trace):
    parts = fetch(tiny_trace, 0, 1, 3, 9)
    assert parts["gate_sources"] == list(GATE_SOURCES)
    for gate, source in zip(parts["gates"], GATE_SOURCES, strict=True):
        np.testing.assert_array_equal(gate, gate_from(tiny_trace, 0, source)[1, 3:9])


def test_bias_curves_reach_as_far_as_the_clip_or_the_table(any_trace):
    curves = stages.bias_curves(any_trace, 1)
    reach = min(any_trace.num_frames - 1, any_trace.model.config.max_distance)
    assert curves.shape == (any_trace.num_heads, 2 * reach + 1)
    for head in range(any_trace.num_heads):
        bias = any_trace.attention_terms(0, head).bucket_bias
        assert torch.equal(curves[head, reach:], bias[0, : reach + 1])
        assert torch.equal(curves[head, : reach + 1], bias[reach, : reach + 1])
    layer = unpack(make(any_trace, "layer", {"layer": "1"}))
    np.testing.assert_array_equal(layer["bias"], curves)


def test_bias_curves_end_where_nothing_changes_any_more():
    trace = make_trace(seconds=1.5)
    assert trace.num_frames > trace.model.config.max_distance == 60
    curves = stages.bias_curves(trace, 2)
    assert curves.shape == (trace.num_heads, 121)
    bias = trace.attention_terms(0, 1).bucket_bias
    assert bool((bias[0, 60:] == curves[1, -1]).all())
    assert bool((bias[-1, :-60] == curves[1, 0]).all())


WHERE: dict[str, Any] = {"layers": 1, "heads": 2}
ACTING: dict[str, tuple[list[Any], list[str]]] = {
    "off": ([HeadsOff(**WHERE)], ["it hands on nothing"]),
    "mean": ([HeadsOff(mean=True, **WHERE)], ["it hands on the same for every frame, its mean over the clip"]),
    "both": ([HeadsOff(mean=True, **WHERE), HeadsOff(**WHERE)], ["it hands on the same", "it hands on nothing"]),
    "gate": ([GateFixed(-0.25, **WHERE)], ["its gate is fixed at −0.25"]),
    "position": ([PositionOff(**WHERE)], ["its position bias is off"]),
    "other position": ([PositionFrom(-3, **WHERE)], ["its position bias is that of head 0"]),
    "content": ([ContentOff(**WHERE)], ["its content is off"]),
    "uniform": ([AttentionUniform(**WHERE)], ["all keys share alike"]),
    "within": ([AttentionWithin(4, **WHERE)], ["no query looks further than 4 frames"]),
    "to": ([AttentionTo(-20, **WHERE)], ["every query looks at frame 19 only"]),
    "blind": (
        [AttentionWithin(4, **WHERE), AttentionTo(6, **WHERE)],
        ["no query looks", "every query looks at frame 6"],
    ),
    "elsewhere": ([ContentOff(layers=0), GateFixed(0.0, layers=1, heads=1)], []),
}


@pytest.mark.parametrize("window", [(0, 39), (11, 30)])
@pytest.mark.parametrize("name", ACTING)
def test_what_acted_is_what_the_browser_puts_together(tiny_trace, name, window):
    interventions, phrases = ACTING[name]
    changed, frames = tiny_trace.what_if(interventions), slice(*window)
    parts = fetch(changed, 1, 2, *window)
    logits, weights, output = put_together(parts)
    terms = changed.attention_terms(1, 2)
    finite = terms.logits[frames, frames].isfinite().numpy()
    np.testing.assert_array_equal(np.isfinite(logits), finite)
    rows = parts["checked"].tolist()
    np.testing.assert_allclose(parts["exact_logits"], terms.logits[frames, frames][rows], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(logits[finite], terms.logits[frames, frames][finite], atol=2e-2)
    np.testing.assert_allclose(weights, changed.attention(1, 2)[0, frames, frames], atol=2e-3)
    np.testing.assert_allclose(output, changed.context(1)[2, frames], atol=1e-2)
    assert all(
        np.isfinite(parts[array]).all() for array in ("content", "content_max", "gates", "bias", "value", "mean")
    )
    assert parts["interventions"] == len(interventions)
    assert len(parts["acting"]) == len(phrases)
    assert all(phrase in said for phrase, said in zip(phrases, parts["acting"], strict=True))


def test_half_precision_is_finest_among_the_keys_that_are_left():
    trace = make_trace().what_if([AttentionWithin(0, **WHERE)])
    parts = fetch(trace, 1, 2, 0, trace.num_frames)
    np.testing.assert_array_equal(parts["content_max"], trace.attention_terms(1, 2).content.diagonal())


def test_a_layer_has_the_bias_that_acted_in_it(tiny_trace):
    changed = tiny_trace.what_if([PositionOff(layers=1, heads=2)])
    own = stages.bias_curves(tiny_trace, 1).numpy()
    for layer in range(3):
        expected = own * np.array([[1], [1], [0]]) if layer == 1 else own
        np.testing.assert_array_equal(unpack(make(changed, "layer", {"layer": str(layer)}))["bias"], expected)


def test_a_skipped_layer_is_said_to_be_one(tiny_trace):
    changed = tiny_trace.what_if([LayersSkipped(1)])
    assert [bool(fetch(changed, layer, 0, 0, 9)["skipped"]) for layer in range(3)] == [False, True, False]


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (0, 40), (9, 3)])
def test_windows_that_are_none_are_refused(tiny_trace, start, stop):
    with pytest.raises(ValueError, match=f"expected 1 to 1500 of the frames 0 to 39; found {start} to {stop}"):
        fetch(tiny_trace, 0, 0, start, stop)
