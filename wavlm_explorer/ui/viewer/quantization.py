"""Attention maps as one byte a weight: each row against its own maximum, which travels along."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor

EXACT_CELLS = 500  # of a window that travels as float32: 1 MB
WINDOW_CELLS = 1500  # of any window: 2.25 MB
STEPS = 255
SIGNED_STEPS = 127


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


class QuantizedChanges(NamedTuple):
    """change = cell x row_max / 127, within row_max / 254."""

    cells: Int8[np.ndarray, "heads queries keys"]
    row_max: Float[np.ndarray, "heads queries"]


def quantize_changes(differences: Float[Tensor, "heads queries keys"]) -> QuantizedChanges:
    """Round every row to 127 levels on either side of 0, up to its largest difference in size."""
    row_max = differences.abs().amax(dim=-1)
    factors = SIGNED_STEPS / row_max.clamp(min=torch.finfo(torch.float32).tiny)
    cells = (differences * factors.unsqueeze(-1)).round().to(torch.int8)
    return QuantizedChanges(cells.numpy(), row_max.numpy())
