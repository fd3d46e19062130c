"""Decoding step by step: the whole at once under a causal mask, fixed keys, reordering, and masks joined."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import largest_difference, original_modules, twins

from wavlm_explorer.modules import MultiheadAttention

TABLE = {"has_relative_attention_bias": True, "num_buckets": 8, "max_distance": 12}
GATED = {**TABLE, "gru_rel_pos": True}
EXTRAS = [{}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"add_bias_kv": True, "add_zero_attn": True}]
CASES = list(itertools.product([{}, TABLE, GATED], EXTRAS))


def causal_mask(frames):
    return torch.ones(frames, frames, dtype=torch.bool).triu(1)


def decode(attention, x, state, padding=None, **options):
    """One frame at a time; a step of width 1 needs no attention mask, for it knows of no later keys."""
    for step in range(len(x)):
        mask = None if padding is None else padding[:, step : step + 1]
        yield attention(x[step : step + 1], key_padding_mask=mask, incremental_state=state, **options)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize(("table", "extra"), CASES)
def test_step_by_step_equals_the_whole(table, extra, need_weights):
    _, ours = twins("MultiheadAttention", 8, 2, self_attention=True, **table, **extra)
    x = torch.randn(9, 3, 8)
    whole = ours(x, attn_mask=causal_mask(9), need_head_weights=True)
    for step, found in enumerate(decode(ours, x, {}, need_weights=need_weights)):
        assert largest_difference(found.output, whole.output[step : step + 1]) < 1e-5
        if need_weights:
            seen = [*range(step + 1), *range(9, whole.weights.shape[-1])]
            assert largest_difference(found.weights[:, 0], whole.weights.mean(0)[:, step, seen]) < 1e-5
        if table:
            bias = whole.position_bias[:, step : step + 1, : step + 1]
            assert torch.equal(found.position_bias, bias)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 99))
def test_chunks_of_any_size_equal_the_whole(chunks, seed):
    _, ours = twins("MultiheadAttention", 8, 2, seed=seed, **GATED)
    frames = sum(chunks)
    x, mask, state, begin = torch.randn(frames, 2, 8), causal_mask(frames), {}, 0
    whole = ours(x, attn_mask=mask).output
    for size in chunks:
        end = begin + size
        found = ours(x[begin:end], incremental_state=state, attn_mask=mask[begin:end, :end]).output
        assert largest_difference(found, whole[begin:end]) < 1e-5
        begin = end


def test_padding_is_remembered():
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x, padding = torch.randn(6, 2, 8), torch.tensor([[0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 1, 0]]).bool()
    whole = ours(x, attn_mask=causal_mask(6), key_padding_mask=padding)
    for step, found in enumerate(decode(ours, x, {}, padding)):
        assert largest_difference(found.output, whole.output[step : step + 1]) < 1e-5
        assert largest_difference(found.weights[:, 0], whole.weights[:, step, : step + 1]) < 1e-6


def test_padding_of_some_steps_only():
    _, ours = twins("MultiheadAttention", 8, 2)
    x, state = torch.randn(3, 1, 8), {}
    masks = [None, torch.tensor([[True]]), None]
    weights = [
        ours(x[step : step + 1], key_padding_mask=mask, incremental_state=state).weights
        for step, mask in enumerate(masks)
    ]
    assert weights[1][0, 0].tolist() == [1, 0]
    assert weights[2][0, 0, 1] == 0
    assert weights[2][0, 0].count_nonzero() == 2


def test_reordering_lets_entries_change_places():
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x, order = torch.randn(5, 3, 8), torch.tensor([2, 0, 0])
    padding = torch.tensor([[0, 0, 0], [0, 1, 0], [1, 0, 0]]).bool()
    state, expected_state = {}, {}
    for _ in decode(ours, x[:3], state, padding):
        pass
    for _ in decode(ours, x[:3, order], expected_state, padding[order]):
        pass
    ours.reorder_incremental_state(state, order)
    found, expected = (ours(x[3:4], incremental_state=memory) for memory in (state, expected_state))
    assert largest_difference(found.output, expected.output) < 1e-6
    assert torch.equal(found.weights, expected.weights)


def test_reordering_an_empty_memory_is_no_error():
    attention, state = MultiheadAttention(8, 2), {}
    attention.reorder_incremental_state(state, torch.tensor([1, 0]))
    attention(torch.randn(1, 2, 8), incremental_state=state)  # leaves no padding mask behind
    attention.reorder_incremental_state(state, torch.tensor([1, 0]))


def test_static_keys_are_projected_once():
    _, ours = twins("MultiheadAttention", 8, 2, kdim=6, vdim=6, encoder_decoder_attention=True)
    query, key, state = torch.randn(4, 3, 8), torch.randn(7, 3, 6), {}
    padding = torch.arange(7)[None, :] >= torch.tensor([[7], [3], [1]])
    whole = ours(query, key, key_padding_mask=padding)
    first = ours(query[:1], key, key, padding, incremental_state=state, static_kv=True)
    assert largest_difference(first.output, whole.output[:1]) < 1e-5
    for step in range(1, 4):
        for later_key in (None, torch.full((2, 3, 6), float("nan"))):
            found = ours(query[step : step + 1], later_key, incremental_state=state, static_kv=True)
            assert largest_difference(found.output, whole.output[step : step + 1]) < 1e-5
            assert largest_difference(found.weights, whole.weights[:, step : step + 1]) < 1e-6


def test_static_keys_need_a_cross_attention():
    attention, x, state = MultiheadAttention(8, 2, self_attention=True), torch.randn(1, 2, 8), {}
    attention(x, incremental_state=state, static_kv=True)
    with pytest.raises(ValueError, match="expected an attention with encoder_decoder_attention"):
        attention(x, incremental_state=state, static_kv=True)
    with pytest.raises(ValueError, match="expected the encoder's output"):
        MultiheadAttention(8, 2, encoder_decoder_attention=True)(x, incremental_state={}, static_kv=True)


def test_layers_share_a_dictionary_and_not_their_memory():
    layers = [twins("MultiheadAttention", 8, 2, seed=seed)[1] for seed in (1, 2)]
    x, shared = torch.randn(3, 2, 8), {}
    alone = [list(decode(layer, x, {})) for layer in layers]
    together = list(zip(*(decode(layer, x, shared) for layer in layers), strict=True))
    for step in range(3):
        for layer in range(2):
            assert torch.equal(together[step][layer].output, alone[layer][step].output)
    assert len(shared) == 2
    for memory in shared.values():
        assert set(memory) == {"prev_key", "prev_value", "prev_key_padding_mask"}
        assert memory["prev_key"].shape == (2, 2, 3, 4)


def test_the_gate_with_remembered_keys_reads_the_raw_query():
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x, state = torch.randn(4, 1, 8), {}
    *_, last = decode(ours, x, state)
    q, k = ours.project_query(x[3:]), ours.project_key(x)
    logits = ours.compute_content(q, k) + ours.compute_gate(x[3:])[..., None] * ours.compute_bias(1, 4, 3)
    assert largest_difference(last.weights, torch.softmax(logits, -1).mean(1)) < 1e-6


def test_the_original_has_no_memory():
    x = torch.randn(1, 2, 8)
    original = original_modules.MultiheadAttention(8, 2)
    with pytest.raises(AttributeError):
        original(x, x, x, incremental_state={})
    assert not hasattr(original, "reorder_incremental_state")


@pytest.mark.parametrize("static_kv", [False, True])
@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.uint8])
@pytest.mark.parametrize("present", list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("num_keys", [4, 5, 7, 9])
def test_joining_masks_equals_the_original(num_keys, present, dtype, static_kv):
    current, past = (torch.randint(0, 2, (2, width)).to(dtype) for width in (4, 5))
    arguments = (current if present[0] else None, past if present[1] else None, 2, num_keys, static_kv)
    expected = original_modules.MultiheadAttention._append_prev_key_padding_mask(*arguments)
    found = MultiheadAttention._append_prev_key_padding_mask(*arguments)
    if expected is None or found is None:
        assert found is expected
    else:
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def test_the_sparse_mask_hook_is_called_and_changes_nothing():
    logits = torch.randn(4, 3, 3)
    assert MultiheadAttention(8, 2).apply_sparse_mask(logits, 3, 3, 2) is logits

    class Blind(MultiheadAttention):
        def apply_sparse_mask(self, attn_weights, tgt_len, src_len, bsz):
            assert (tgt_len, src_len, bsz) == (3, 3, 2)
            return torch.zeros_like(attn_weights)

    weights = Blind(8, 2)(torch.randn(3, 2, 8)).weights
    assert largest_difference(weights, torch.full((2, 3, 3), 1 / 3)) < 1e-6
