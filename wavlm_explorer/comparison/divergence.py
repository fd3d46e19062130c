"""How far the attention of two models parts, head by head, and whether content or position parted it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..tracing import AttentionTerms, Trace

BLOCK_BYTES = 32 << 20  # of one term of the maps of all heads, in float64: so much is held of each at once


@dataclass(frozen=True)
class Divergence:
    """Jensen-Shannon divergence between two models' attention, in bits, averaged over the rows: 0 alike, 1 disjoint.

    A row's logits are content + position, c + p. With A = softmax(c_a + p_a), model a's own attention:

    total      JSD(A, softmax(c_b + p_b)): against model b's own
    content    JSD(A, softmax(c_b + p_a)): against a's with only the content of b put in
    position   JSD(A, softmax(c_a + p_b)): against a's with only the position term (gate x bias) of b put in

    Keys that interventions bar from one of the two stay barred where its own attention is meant: from a's in the parts.

    Each model runs on its own hidden states, so content also carries what the layers below have changed. The two parts
    need not add up to the total: they can undo each other, or need each other.
    """

    total: Float[np.ndarray, "layers heads"]
    content: Float[np.ndarray, "layers heads"]
    position: Float[np.ndarray, "layers heads"]


def jensen_shannon(p: Float[Tensor, "*rows keys"], q: Float[Tensor, "*rows keys"]) -> Float[Tensor, "*rows"]:
    """Jensen-Shannon divergence of distributions along the last axis, in bits: H((p + q) / 2) - (H(p) + H(q)) / 2.

    Source: Lin, IEEE Transactions on Information Theory 37 (1991), section 4.
    """
    mixed = torch.special.entr((p + q) / 2) - (torch.special.entr(p) + torch.special.entr(q)) / 2
    return mixed.sum(dim=-1).clamp(min=0) / math.log(2)


def attention_divergence(a: Trace, b: Trace, progress: Callable[[float], object] = lambda _: None) -> Divergence:
    """Compare the heads of the layers that both have, layer by layer and head by head.

    progress: called with the share done, 0 to 1, after each layer.

    Raises: ValueError unless both have equally many heads and frames.
    """
    if (a.num_heads, a.num_frames) != (b.num_heads, b.num_frames):
        found = f"{a.num_heads} and {b.num_heads} heads, {a.num_frames} and {b.num_frames} frames"
        raise ValueError(f"expected equally many heads and frames; found {found}")
    num_rows = max(1, BLOCK_BYTES // (8 * a.num_heads * a.num_frames))
    sums = torch.zeros(3, min(a.num_layers, b.num_layers), a.num_heads, dtype=torch.float64)
    for layer in range(sums.shape[1]):
        for first in range(0, a.num_frames, num_rows):
            rows = slice(first, first + num_rows)
            sums[:, layer] += _sum_over_rows(a.terms_of_heads(layer, rows), b.terms_of_heads(layer, rows))
        progress((layer + 1) / sums.shape[1])
    return Divergence(*(sums / a.num_frames).numpy())


def _sum_over_rows(a: AttentionTerms, b: AttentionTerms) -> Float[Tensor, "3 heads"]:
    """The total, the content's and the position's divergence, each summed over the rows of one block."""
    own = _softmax(a.content, a.position, a.bars)
    swapped = ((b.content, b.position, b.bars), (b.content, a.position, a.bars), (a.content, b.position, a.bars))
    return torch.stack([jensen_shannon(own, _softmax(*terms)).sum(dim=-1) for terms in swapped])


def _softmax(content: Tensor, position: Tensor, bars: Tensor) -> Tensor:
    """Zeros where every key is barred."""
    return torch.softmax(content.double() + position.double() + bars.double(), dim=-1).nan_to_num(nan=0)
