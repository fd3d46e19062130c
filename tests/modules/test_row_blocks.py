"""Attention in blocks of rows, against the whole at once; and the linear layer that takes the faster library."""

import pytest
import torch
from oracles import largest_difference, twins

from wavlm_explorer.modules import Linear, attend_in_blocks, row_blocks

FRAMES = 23


@pytest.mark.parametrize("num_heads", [1, 2, 3])
@pytest.mark.parametrize("num_rows", [1, 5, 23])
@pytest.mark.parametrize("mask", [None, "of keys", "of pairs"])
def test_blocks_equal_the_whole(num_heads, num_rows, mask, monkeypatch):
    _, attention = twins("MultiheadAttention", 24, 3, has_relative_attention_bias=True, gru_rel_pos=True)
    x = torch.randn(FRAMES, 2, 24, generator=torch.Generator().manual_seed(0))
    padding = torch.arange(FRAMES)[None, :] >= torch.tensor([[FRAMES], [15]]) if mask == "of keys" else None
    causal = torch.ones(FRAMES, FRAMES, dtype=torch.bool).triu(3) if mask == "of pairs" else None
    expected = attention(x, key_padding_mask=padding, attn_mask=causal, need_head_weights=True).output
    added = row_blocks_mask(padding, causal)
    curve = attention.bias_of_distances(torch.arange(1 - FRAMES, FRAMES))
    monkeypatch.setattr(row_blocks, "fused_block", lambda *_: row_blocks.BlockShape(num_heads, num_rows))
    shares = []
    context = attend_in_blocks(
        attention.project_query(x), attention.project_key(x), attention.project_value(x), curve,
        attention.compute_gate(x), added, shares.append,
    )  # fmt: skip
    assert largest_difference(attention.project_output(context), expected) < 1e-5
    assert len(shares) == -(-3 // num_heads) * -(-FRAMES // num_rows)
    assert shares[-1] == 1


def row_blocks_mask(padding, causal):
    if padding is not None:
        return torch.zeros(2, 1, 1, FRAMES).masked_fill(padding[:, None, None], float("-inf"))
    return None if causal is None else torch.zeros(1, 1, FRAMES, FRAMES).masked_fill(causal, float("-inf"))


def test_short_clips_go_at_once_and_long_ones_in_few_rows():
    cpu = torch.device("cpu")
    assert row_blocks.rows_at_once(cpu, 12, 149) >= 149
    assert row_blocks.rows_at_once(cpu, 12, 30_000) == row_blocks.FEWEST_ROWS
    assert row_blocks.rows_at_once(torch.device("cuda"), 12, 2000) >= 2000


def test_the_fused_kernel_gets_one_head_on_a_cpu_and_all_on_a_gpu():
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert row_blocks.fused_block(cpu, 1, 12, 499) == (1, 499)
    assert row_blocks.fused_block(cpu, 1, 12, 30_000) == (1, row_blocks.FUSED_ROWS)
    assert row_blocks.fused_block(cuda, 1, 12, 2000) == (12, 2000)


def test_blocks_have_gradients_too():
    _, attention = twins("MultiheadAttention", 24, 3, has_relative_attention_bias=True, gru_rel_pos=True)
    x = torch.randn(FRAMES, 1, 24, generator=torch.Generator().manual_seed(0))
    gradients = []
    for in_blocks in (False, True):
        if in_blocks:
            curve = attention.bias_of_distances(torch.arange(1 - FRAMES, FRAMES))
            q, k, v = attention.project_query(x), attention.project_key(x), attention.project_value(x)
            output = attention.project_output(attend_in_blocks(q, k, v, curve, attention.compute_gate(x)))
        else:
            output = attention(x, need_weights=False).output
        attention.zero_grad()
        output.square().sum().backward()
        gradients.append(torch.cat([weight.grad.flatten() for weight in attention.parameters()]))
    assert largest_difference(*gradients) < 1e-6 * gradients[0].abs().max()


@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_linear_layer_gives_the_same_with_and_without_gradients(has_bias, dtype):
    layer = Linear(30, 7, bias=has_bias).to(dtype)
    x = torch.randn(11, 2, 30, dtype=dtype)
    expected = torch.nn.functional.linear(x, layer.weight, layer.bias)
    with torch.no_grad():
        found = layer(x)
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
