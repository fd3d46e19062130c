"""Attention maps as one byte a weight: each row against its own maximum, which travels along."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

STEPS = 255


class QuantizedMaps(NamedTuple):
    """weight = cell x row_max / 255, within row_max / 510: a flat row of 1 / 500 still reads 0.002."""

    cells: UInt8[np.ndarray, "heads queries keys"]
    row_max: Float[np.ndarray, "heads queries"]


def quantize(weights: Float[Tensor, "heads queries keys"]) -> QuantizedMaps:
    """Round every row to 256 levels between 0 and its largest weight."""
    row_max = weights.amax(dim=-1)
    factors = STEPS / row_max.clamp(min=torch.finfo(torch.float32).tiny)
    cells = (weights * factors.unsqueeze(-1)).add_(0.5).to(torch.uint8)
    return QuantizedMaps(cells.numpy(), row_max.numpy())
