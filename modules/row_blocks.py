"""Attention over long clips: block by block of heads and queries, so that no frames x frames is ever held."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

HeadFrames = Float[Tensor, "batch heads frames head_dim"]

FEWEST_ROWS = 64
LOGITS_AT_ONCE = {"cpu": 1 << 20}  # numbers: what the caches of a CPU hold; a GPU wants more work at a time
LOGITS_AT_ONCE_ELSEWHERE = 64 << 20
FUSED_LOGITS_ELSEWHERE = 256 << 20  # fewer would leave a large GPU without enough queries at a time
FUSED_ROWS = 1024  # a CPU's fused kernel takes 256 queries a thread where a block has many, but 32 of a small block
ALIGNMENT = 16  # numbers: a row of the bias that starts elsewhere, a GPU's kernel would copy first


def rows_at_once(device: torch.device, num_maps: int, num_keys: int) -> int:
    """How many rows of so many maps one block has: all of a short clip, fewer of a long one."""
    logits = LOGITS_AT_ONCE.get(device.type, LOGITS_AT_ONCE_ELSEWHERE)
    return max(FEWEST_ROWS, logits // max(1, num_maps * num_keys))


class BlockShape(NamedTuple):
    """What attention does at a time."""

    heads: int
    rows: int


def fused_block(device: torch.device, batch: int, heads: int, num_frames: int) -> BlockShape:
    """Many rows of one head at a time on a CPU, where their bias stays in the cache; all heads at a time on a GPU."""
    if device.type == "cpu":
        return BlockShape(1, min(num_frames, FUSED_ROWS))
    rows = FUSED_LOGITS_ELSEWHERE // (batch * heads * num_frames)
    return BlockShape(heads, min(num_frames, max(FEWEST_ROWS, rows)))


def attend_in_blocks(
    q: HeadFrames,
    k: HeadFrames,
    v: HeadFrames,
    curve: Float[Tensor, "heads distances"],
    gate: Float[Tensor, "batch heads frames"],
    mask: Float[Tensor, "#batch #heads #frames frames"] | None = None,
    report: Callable[[float], object] = lambda _: None,
) -> HeadFrames:
    """softmax(q k' + g * B + mask) v, by PyTorch's fused kernel, a block of heads and rows at a time.

    The bias B[i, j] = curve[j - i + frames - 1] has only 2 frames - 1 values a head. With the keys taken from last to
    first its index falls along both axes, so that B is a view of the reversed curve: nothing is copied.

    report: called with the share of the blocks done, 0 to 1, after each.
    """
    batch, num_heads, num_frames, _ = q.shape
    k, v = k.flip(2), v.flip(2)
    mask = None if mask is None else mask.flip(-1).expand(batch, num_heads, num_frames, num_frames)
    bias = curve.flip(1).unfold(1, num_frames, 1)  # [heads, queries, keys from last to first]
    shape = fused_block(q.device, batch, num_heads, num_frames)
    blocks = list(product(range(0, num_heads, shape.heads), range(0, num_frames, shape.rows)))
    padded = num_frames + -num_frames % ALIGNMENT
    room = None if torch.is_grad_enabled() else q.new_empty(batch, *shape, padded)[..., :num_frames]
    context = torch.empty_like(v)
    for number, (first_head, first_row) in enumerate(blocks, start=1):
        heads, rows = slice(first_head, first_head + shape.heads), slice(first_row, first_row + shape.rows)
        added = _multiply(gate[:, heads, rows, None], bias[heads, rows], room)
        if mask is not None:
            added += mask[:, heads, rows]
        context[:, heads, rows] = F.scaled_dot_product_attention(
            q[:, heads, rows], k[:, heads], v[:, heads], added, scale=1.0
        )
        report(number / len(blocks))
    return context


def _multiply(
    gate: Float[Tensor, "batch heads queries 1"],
    bias: Float[Tensor, "heads queries keys"],
    room: Float[Tensor, "batch most_heads most_queries keys"] | None,
) -> Float[Tensor, "batch heads queries keys"]:
    """Into the room if there is one: fresh memory for every block would take longer than the attention."""
    return torch.mul(gate, bias, out=None if room is None else room[:, : len(bias), : bias.shape[1]])
