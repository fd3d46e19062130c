"""Draw a large map small without losing its thin lines: each cell shows the extreme of what it covers."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

MAX_CELLS = 700  # along an axis; what a picture can show


def pooling_factor(length: int, cells: int = MAX_CELLS) -> int:
    """How many frames one cell must cover for `length` frames to fit into so many cells."""
    return max(1, math.ceil(length / cells))


def max_pool(
    values: Float[Tensor, "rows columns"], factor: int | tuple[int, int]
) -> Float[Tensor, "pooled_rows pooled_columns"]:
    """Keep of each factor x factor (or rows x columns) cells the value that is largest in size, with its sign."""
    highest = F.max_pool2d(values[None, None], factor, ceil_mode=True)[0, 0]
    lowest = -F.max_pool2d(-values[None, None], factor, ceil_mode=True)[0, 0]
    return torch.where(highest >= -lowest, highest, lowest)


def pooling_note(length: int, cells: int = MAX_CELLS) -> str:
    """Say on a picture what was done to it; empty where nothing was."""
    factor = pooling_factor(length, cells)
    return "" if factor == 1 else f"each cell is the largest of {factor} × {factor} frames"
