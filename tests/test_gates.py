"""What the gate is made of, what it does, and the gate fed by other vectors than the released models feed it."""

import math

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import twins
from traces import make_trace

from wavlm_explorer.gates import (
    GATE_SOURCES,
    compounded_gates,
    gate_from,
    gated_rows,
    gates_by_layer,
    head_gate,
)


def test_the_fast_path_is_what_the_model_runs(any_trace):
    assert torch.equal(gate_from(any_trace, -1, "fast path"), any_trace.gate(-1))


def test_each_source_is_another_gate(any_trace):
    gates = torch.stack([gate_from(any_trace, 1, source) for source in GATE_SOURCES])
    assert gates.shape == (3, any_trace.num_heads, any_trace.num_frames)
    if any_trace.model.config.gru_rel_pos:
        assert all((gates[one] - gates[other]).abs().max() > 1e-3 for one, other in ((0, 1), (0, 2), (1, 2)))
    else:
        assert bool((gates == 1).all())


def test_the_slow_path_reads_a_smaller_vector_than_the_paper(tiny_trace):
    attention = tiny_trace.model.encoder.block(1).self_attn
    x = tiny_trace.attention_input(1)[:, None]
    q = attention.project_query(x) / attention.scaling
    with torch.no_grad():
        expected = attention._gate(q)[0]
    torch.testing.assert_close(gate_from(tiny_trace, 1, "paper"), expected)


def test_other_sources_and_layers_are_refused(tiny_trace):
    with pytest.raises(ValueError, match="expected one of fast path, slow path, paper; found 'key'"):
        gate_from(tiny_trace, 0, "key")
    with pytest.raises(IndexError, match="layer 3 is out of range"):
        gate_from(tiny_trace, 3, "paper")


@pytest.mark.parametrize("kind", ["post-norm", "pre-norm"])
def test_a_hand_gets_the_gate_that_the_model_runs(kind):
    trace, frame = make_trace(VARIANTS[kind]), 7
    weights = trace.model.state_dict()
    for layer, head in ((0, 0), (2, 1)):
        prefix = f"encoder.layers.{layer}.self_attn."
        x = trace.attention_input(layer)[frame].double().numpy().reshape(3, 8)[head]
        z = weights[f"{prefix}grep_linear.weight"].double().numpy() @ x
        z += weights[f"{prefix}grep_linear.bias"].double().numpy()
        sums = [z[0] + z[1] + z[2] + z[3], z[4] + z[5] + z[6] + z[7]]
        a, b = (1 / (1 + math.exp(-total)) for total in sums)
        c = float(weights[f"{prefix}grep_a"].flatten()[head])
        parts = head_gate(trace, layer, head)
        assert np.allclose(parts.inputs[frame], x)
        assert float(parts.scale) == c
        found = [parts.terms.features[frame], parts.terms.sums[frame], parts.terms.a[frame], parts.terms.b[frame]]
        for expected, term in zip((z, sums, a, b), found, strict=True):
            assert np.allclose(term, expected, atol=1e-5)
        assert float(trace.gate(layer)[head, frame]) == pytest.approx(a * (b * c - 1) + 2, abs=1e-5)
        torch.testing.assert_close(parts.terms.gate, trace.gate(layer)[head])


def test_only_a_model_with_a_gate_has_its_parts():
    with pytest.raises(ValueError, match="this one has none"):
        head_gate(make_trace(VARIANTS["no gate"]), 0, 0)
    with pytest.raises(IndexError, match="head 3 is out of range"):
        head_gate(make_trace(), 0, 3)


def test_a_row_under_its_own_gate_is_the_model_s(any_trace):
    rows = gated_rows(any_trace, 1, 2, 5)
    terms = any_trace.attention_terms(1, 2, slice(5, 6))
    torch.testing.assert_close(rows.weights[0], terms.weights[0])
    torch.testing.assert_close(rows.position[0], terms.position[0])
    assert rows.gates.tolist() == [float(terms.gate), 0, 1, 2]
    torch.testing.assert_close(rows.weights[1], terms.content[0].softmax(dim=-1))
    expected = (terms.content + 2 * terms.bucket_bias).double().exp()[0].numpy()
    expected /= expected.sum()
    assert np.allclose(rows.weights[3], expected, atol=1e-6)
    milliseconds = 20 * np.abs(np.arange(any_trace.num_frames) - 5)
    assert float(rows.distance_ms[3]) == pytest.approx(expected @ milliseconds, rel=1e-5)


def test_the_slow_path_of_the_original_gates_what_is_gated():
    trace, frame = make_trace(), 4
    compounded = compounded_gates(trace, frame)
    ungated = trace.model.encoder.compute_position_bias(trace.num_frames)
    assert ungated is not None
    bias = ungated = ungated.detach()
    for layer in range(trace.num_layers):
        original, _ = twins("MultiheadAttention", 24, 3, self_attention=True, gru_rel_pos=True)
        state = trace.model.encoder.block(layer).self_attn.state_dict()
        original.load_state_dict({name: state[name] for name in original.state_dict()})
        x = trace.attention_input(layer)[:, None]
        bias = original(x, x, x, static_kv=True, position_bias=bias)[2].detach()
        expected = compounded[layer, :, None] * ungated[:, frame]
        torch.testing.assert_close(bias[:, frame], expected, atol=1e-5, rtol=1e-4)


def test_the_fast_path_has_one_gate_a_layer(tiny_trace):
    gates = gates_by_layer(tiny_trace, -1)
    assert torch.equal(gates, torch.stack([tiny_trace.gate(layer)[:, -1] for layer in range(3)]))
    with pytest.raises(IndexError, match="frame"):
        gates_by_layer(tiny_trace, tiny_trace.num_frames)
