"""What can change in an attention without changing its output: things worth knowing of any checkpoint."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import largest_difference, twins

from wavlm_explorer.modules import MultiheadAttention

GATED = {"has_relative_attention_bias": True, "num_buckets": 16, "max_distance": 20, "gru_rel_pos": True}


@pytest.fixture
def attention():
    return twins("MultiheadAttention", 12, 3, self_attention=True, **GATED)[1]


def changed_by(attention, change, need_weights=True):
    """How far the output moves when `change` is made to a copy."""
    x = torch.randn(40, 2, attention.embed_dim)
    other = copy.deepcopy(attention)
    with torch.no_grad():
        change(other)
    before, after = (module(x, need_weights=need_weights).output for module in (attention, other))
    return largest_difference(after, before)


@pytest.mark.parametrize("need_weights", [True, False])
def test_the_key_bias_never_matters(attention, need_weights):
    assert changed_by(attention, lambda other: other.k_proj.bias.add_(torch.randn(12)), need_weights) < 1e-5
    assert changed_by(attention, lambda other: other.q_proj.bias.add_(torch.randn(12)), need_weights) > 1e-2


@pytest.mark.parametrize("extra", ["add_bias_kv", "add_zero_attn"])
def test_the_key_bias_matters_beside_keys_without_it(extra):
    attention = twins("MultiheadAttention", 12, 3, **{extra: True})[1]
    assert changed_by(attention, lambda other: other.k_proj.bias.add_(torch.randn(12))) > 1e-2


def test_a_constant_added_to_a_head_s_bias_never_matters(attention):
    table = "relative_attention_bias"
    assert changed_by(attention, lambda other: getattr(other, table).weight.add_(torch.randn(3))) < 1e-5
    assert changed_by(attention, lambda other: getattr(other, table).weight[:8].add_(torch.randn(3))) > 1e-2


def test_the_middle_row_of_the_table_is_the_only_unused_one(attention):
    for row in range(16):
        change = changed_by(attention, lambda other, row=row: other.relative_attention_bias.weight[row].add_(1))
        assert (change == 0) == (row == 8)


def test_only_two_sums_of_the_gate_s_rows_matter(attention):
    def trade(other, giver, taker):
        amount = torch.randn(4)
        other.grep_linear.weight[giver] -= amount
        other.grep_linear.weight[taker] += amount
        other.grep_linear.bias[giver] -= 1
        other.grep_linear.bias[taker] += 1

    for half in (0, 4):
        assert changed_by(attention, lambda other, half=half: trade(other, half, half + 3)) < 1e-5
    assert changed_by(attention, lambda other: trade(other, 3, 4)) > 1e-2


def test_the_value_bias_is_added_through_the_output_projection(attention):
    x, shift = torch.randn(9, 2, 12), torch.randn(12)
    before = attention(x).output
    with torch.no_grad():
        attention.v_proj.bias.add_(shift)
    expected = before + attention.out_proj.weight @ shift
    assert largest_difference(attention(x).output, expected) < 1e-5


@given(st.integers(0, 999), st.floats(0.01, 10))
def test_the_gate_lies_between_one_and_two(seed, scale):
    attention = MultiheadAttention(8, 2, gru_rel_pos=True)
    generator = torch.Generator().manual_seed(seed)
    gate = attention.compute_gate(scale * torch.randn(20, 3, 8, generator=generator))
    assert gate.shape == (3, 2, 20)
    assert 1 <= gate.min() <= gate.max() <= 2


@pytest.mark.parametrize(("constant", "least", "most"), [(5.0, 1, 6), (-1.0, 0, 2), (0.0, 1, 2), (2.0, 1, 3)])
def test_the_gate_s_range_for_other_constants(constant, least, most):
    attention = MultiheadAttention(8, 2, gru_rel_pos=True)
    torch.nn.init.constant_(attention.grep_a, constant)
    gate = attention.compute_gate(100 * torch.randn(500, 1, 8))
    assert gate.min().item() == pytest.approx(least, abs=0.05)
    assert gate.max().item() == pytest.approx(most, abs=0.05)


def test_without_a_gate_it_is_one():
    attention = MultiheadAttention(8, 2)
    assert torch.equal(attention.compute_gate(torch.randn(5, 3, 8)), torch.ones(3, 2, 5))


def test_the_terms_add_up_to_the_logits(attention):
    x = torch.randn(9, 2, 12)
    content = attention.compute_content(attention.project_query(x), attention.project_key(x))
    position = attention.compute_position(attention.compute_gate(x), attention.compute_bias(9, 9)[None])
    weights = attention.compute_weights(content + position)
    assert torch.equal(weights.transpose(0, 1), attention(x, need_head_weights=True).weights)
    assert largest_difference(weights.sum(-1), torch.ones(2, 3, 9)) < 1e-6
    expected = attention(x, before_softmax=True).output.view(2, 3, 9, 9)
    assert torch.equal(content, expected)
