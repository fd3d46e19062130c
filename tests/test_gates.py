"""The gate fed by other vectors than the released models feed it."""

import pytest
import torch

from wavlm_explorer.gates import GATE_SOURCES, gate_from


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
