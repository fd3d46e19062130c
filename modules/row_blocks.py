"""Attention over long clips: block by block of queries, so that no frames x frames is ever held."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

HeadFrames = Float[Tensor, "batch heads frames head_dim"]

FEWEST_ROWS = 64
LOGITS_AT_ONCE = {"cpu": 3 << 20}  # numbers: what the caches of a CPU hold; a GPU wants more work at a time
LOGITS_AT_ONCE_ELSEWHERE = 64 << 20


def rows_at_once(device: torch.device, num_maps: int, num_keys: int) -> int:
    """How many rows of so many maps one block has: all of a short clip, fewer of a long one."""
    logits = LOGITS_AT_ONCE.get(device.type, LOGITS_AT_ONCE_ELSEWHERE)
    return max(FEWEST_ROWS, logits // max(1, num_maps * num_keys))


def attend_in_blocks(
    q: HeadFrames,
    k: HeadFrames,
    v: HeadFrames,
    curve: Float[Tensor, "heads distances"],
    gate: Float[Tensor, "batch heads frames"],
    mask: Float[Tensor, "#batch #heads #frames frames"] | None = None,
    report: Callable[[float], object] = lambda _: None,
) -> HeadFrames:
    """softmax(q k' + g * B + mask) v, by PyTorch's fused kernel, a block of rows at a time.

    The bias B[i, j] = curve[j - i + frames - 1] has only 2 frames - 1 values a head. With the keys taken from last to
    first its index falls along both axes, so that B is a view of the reversed curve: nothing is copied.

    report: called with the share of the rows done, 0 to 1, after each block.
    """
    batch, heads, num_frames, _ = q.shape
    k, v = k.flip(2), v.flip(2)
    mask = None if mask is None else mask.flip(-1)
    bias = curve.flip(1).unfold(1, num_frames, 1)  # [heads, queries, keys from last to first]
    num_rows = rows_at_once(q.device, batch * heads, num_frames)
    context = []
    for first in range(0, num_frames, num_rows):
        rows = slice(first, first + num_rows)
        added = gate[:, :, rows, None] * bias[:, rows]
        if mask is not None:
            added = added + (mask if mask.shape[2] == 1 else mask[:, :, rows])
        context.append(F.scaled_dot_product_attention(q[:, :, rows], k, v, added, scale=1.0))
        report(min(1.0, rows.stop / num_frames))
    return torch.cat(context, dim=2)
