"""Masks: over keys, over pairs, over everything; and the promises about batches and fused kernels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import attention_formula, largest_difference, original_modules, twins

# Torch warns of how the original joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")

GATED = {"has_relative_attention_bias": True, "num_buckets": 8, "max_distance": 12, "gru_rel_pos": True}
EXTRAS = [{}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"add_bias_kv": True, "add_zero_attn": True}]


def minus_infinity(hidden):
    return torch.zeros(hidden.shape).masked_fill(hidden, float("-inf"))


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("extra", EXTRAS)
def test_masks_of_every_kind_equal_the_formula(extra, need_weights):
    _, ours = twins("MultiheadAttention", 8, 2, **GATED, **extra)
    x, bias = torch.randn(5, 3, 8), ours.compute_bias(5, 5)
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.arange(5)[None, :] >= torch.tensor([[5], [3], [1]])
    expected, _ = attention_formula(ours, x, bias=bias, mask=minus_infinity(causal[None] | padding[:, None]))
    for mask in (causal, minus_infinity(causal), causal.expand(6, -1, -1), minus_infinity(causal).expand(6, -1, -1)):
        found = ours(x, attn_mask=mask, key_padding_mask=padding, need_weights=need_weights)
        assert largest_difference(found.output, expected) < 1e-5
    expected, _ = attention_formula(ours, x, bias=bias, mask=causal.double().expand(3, -1, -1))
    assert largest_difference(ours(x, attn_mask=causal.long(), need_weights=need_weights).output, expected) < 1e-5


def test_a_mask_may_differ_by_item_and_head():
    _, ours = twins("MultiheadAttention", 8, 2)
    x, mask = torch.randn(5, 3, 8), torch.randn(6, 5, 5)
    whole = ours(x, attn_mask=mask, need_head_weights=True).weights
    for index in range(6):
        alone = ours(x, attn_mask=mask[index], need_head_weights=True).weights
        assert largest_difference(whole[index % 2, index // 2], alone[index % 2, index // 2]) < 1e-6


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32])
def test_a_padding_mask_of_any_dtype_hides_the_same_keys(dtype):
    original, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(5, 2, 8)
    padding = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1]])
    expected = original(x, x, x, key_padding_mask=padding.bool())[0]
    found = ours(x, key_padding_mask=padding.to(dtype))
    assert largest_difference(found.output, expected) < 1e-5
    assert not found.weights[1, :, 3:].any()


def test_the_original_adds_a_float_padding_mask():
    original, ours = twins("MultiheadAttention", 8, 2)
    x, padding = torch.randn(3, 1, 8), torch.tensor([[0.0, 0.0, 1.0]])
    added = original(x, x, x, key_padding_mask=padding)[1]
    assert added[0, :, 2].all()
    assert largest_difference(ours(x, attn_mask=padding.expand(3, -1)).weights, added) < 1e-5


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_row_without_keys_gives_zeros_and_finite_gradients(need_weights):
    original, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(4, 2, 8, requires_grad=True)
    padding = torch.tensor([[False] * 4, [True] * 4])
    found = ours(x, key_padding_mask=padding, need_weights=need_weights)
    assert torch.equal(found.output[:, 1], ours.out_proj.bias.expand(4, -1))
    expected = original(x, x, x, key_padding_mask=padding, need_weights=need_weights)[0]
    assert largest_difference(found.output[:, 0], expected[:, 0]) < 1e-5
    assert expected[:, 1].isnan().all() == need_weights
    if need_weights:
        assert not found.weights[1].any()
        assert largest_difference(found.weights[0].sum(-1), torch.ones(4)) < 1e-6
    found.output.square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in ours.parameters())


def test_a_single_query_without_keys_gives_zeros():
    _, ours = twins("MultiheadAttention", 8, 2)
    x, mask = torch.randn(3, 1, 8), torch.tensor([[0, 0, 1], [1, 1, 1], [0, 1, 0]]).bool()
    weights = ours(x, attn_mask=mask).weights[0]
    assert torch.equal(weights.sum(-1).round(decimals=5), torch.tensor([1.0, 0.0, 1.0]))


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (1, 5, 5), (2, 5, 5), (5,), (3, 2, 5, 5)])
def test_an_attention_mask_of_another_shape_is_refused(shape):
    _, ours = twins("MultiheadAttention", 8, 2)
    with pytest.raises(ValueError, match=r"attn_mask: expected \[5, 5\]"):
        ours(torch.randn(5, 3, 8), attn_mask=torch.zeros(shape))


@pytest.mark.parametrize("shape", [(3, 4), (5, 3), (3,), (1, 5)])
def test_a_padding_mask_of_another_shape_is_refused(shape):
    _, ours = twins("MultiheadAttention", 8, 2)
    with pytest.raises(ValueError, match=r"key_padding_mask: expected \[3, 5\]"):
        ours(torch.randn(5, 3, 8), key_padding_mask=torch.zeros(shape))


def test_the_original_refuses_an_attention_mask():
    x = torch.randn(5, 3, 8)
    with pytest.raises(AssertionError):
        original_modules.MultiheadAttention(8, 2)(x, x, x, attn_mask=torch.zeros(5, 5))


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 4), st.booleans(), st.sampled_from(EXTRAS))
def test_the_fused_path_equals_the_explicit_one(batch, frames, heads, causal, extra):
    _, ours = twins("MultiheadAttention", heads * 4, heads, **GATED, **extra)
    x = torch.randn(frames, batch, heads * 4)
    mask = torch.ones(frames, frames, dtype=torch.bool).triu(1) if causal else None
    explicit, fused = (ours(x, attn_mask=mask, need_weights=need).output for need in (True, False))
    assert largest_difference(fused, explicit) < 1e-5


@given(st.integers(1, 4), st.integers(1, 30), st.booleans())
def test_a_batch_equals_its_items_alone(batch, frames, need_weights):
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(frames, batch, 8)
    whole = ours(x, need_weights=need_weights).output
    for item in range(batch):
        alone = ours(x[:, item : item + 1], need_weights=need_weights).output
        assert largest_difference(whole[:, item : item + 1], alone) < 1e-5


def test_padding_equals_leaving_the_frames_out():
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(9, 1, 8)
    padded = ours(x, key_padding_mask=torch.arange(9)[None, :] >= 6)
    short = ours(x[:6])
    assert largest_difference(padded.output[:6], short.output) < 1e-5
    assert largest_difference(padded.weights[:, :6, :6], short.weights) < 1e-6


def test_before_softmax_gives_minus_infinity_where_hidden():
    _, ours = twins("MultiheadAttention", 8, 2, add_bias_kv=True, add_zero_attn=True, **GATED)
    x = torch.randn(4, 2, 8)
    padding = torch.tensor([[False] * 4, [False, True, True, True]])
    logits, value, bias = ours(x, key_padding_mask=padding, before_softmax=True)
    assert logits.shape == (4, 4, 6)
    assert value.shape == (4, 6, 4)
    assert bias.shape == (4, 4, 4)
    hidden = torch.nn.functional.pad(padding, (0, 2)).repeat_interleave(2, 0)[:, None, :].expand(-1, 4, -1)
    assert torch.equal(logits.isneginf(), hidden)
