"""The gate of the position bias: one number for each frame and head, made of eight."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

NUM_GATE_FEATURES = 8  # grep_linear's outputs: four are summed for either half of the gate


class GateTerms(NamedTuple):
    """What happens inside the gate, g = a (b c - 1) + 2; c is `grep_a`, one learned number a head."""

    features: Float[Tensor, "*batch 8"]  # z = grep_linear(x)
    sums: Float[Tensor, "*batch 2"]  # of z[:4] and of z[4:]
    a: Float[Tensor, "*batch"]  # sigmoid of the first sum; the paper's update gate is 1 - a
    b: Float[Tensor, "*batch"]  # sigmoid of the second; the paper's reset gate
    gate: Float[Tensor, "*batch"]


def gate_terms(features: Float[Tensor, "*batch 8"], scale: Float[Tensor, "..."]) -> GateTerms:
    """Make gates of their features; `scale` is c, in a shape that fits the batch.

    Source: WavLM, arXiv 2110.13900, section IV-A, and its `modules.py`.
    """
    sums = features.unflatten(-1, (2, NUM_GATE_FEATURES // 2)).sum(dim=-1)
    a, b = torch.sigmoid(sums).unbind(dim=-1)
    return GateTerms(features, sums, a, b, a * (b * scale - 1) + 2)
