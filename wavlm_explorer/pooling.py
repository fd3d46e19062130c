"""Large maps made small without losing their thin lines: each cell holds the extreme of what it covers."""

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
    values: Float[Tensor, "*maps rows columns"], factor: int | tuple[int, int]
) -> Float[Tensor, "*maps pooled_rows pooled_columns"]:
    """Keep of each factor x factor (or rows x columns) cells the value that is largest in size, with its sign.

    Minus infinity, where a key is barred, is kept only where a cell covers nothing else.
    """
    highest = pool_highest(values, factor)
    lowest = -pool_highest(torch.where(values.isneginf(), values, -values), factor)
    return torch.where(highest >= -lowest, highest, lowest)


def pool_highest(
    values: Float[Tensor, "*maps rows columns"], factor: int | tuple[int, int]
) -> Float[Tensor, "*maps pooled_rows pooled_columns"]:
    """Keep the highest value of each factor x factor (or rows x columns) cells; the last may cover fewer."""
    rows, columns = (factor, factor) if isinstance(factor, int) else factor
    rest = (0, -values.shape[-1] % columns, 0, -values.shape[-2] % rows)
    whole = F.pad(values, rest, value=float("-inf")) if any(rest) else values
    return whole.unflatten(-2, (-1, rows)).amax(dim=-2).unflatten(-1, (-1, columns)).amax(dim=-1)
