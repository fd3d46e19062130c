"""What a picture does to a map that is too large for it, and how it says so."""

from ..pooling import MAX_CELLS, max_pool, pooling_factor

__all__ = ["MAX_CELLS", "max_pool", "pooling_factor", "pooling_note"]


def pooling_note(length: int, cells: int = MAX_CELLS) -> str:
    """Say on a picture what was done to it; empty where nothing was."""
    factor = pooling_factor(length, cells)
    return "" if factor == 1 else f"each cell is the largest of {factor} × {factor} frames"
