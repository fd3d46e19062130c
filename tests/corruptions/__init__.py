"""Ways in which a checkpoint goes wrong: each spoils one thing, and names the check that has to find it."""

from . import configs, heads, layers, names, positions, values
from .registry import CORRUPTIONS

__all__ = ["CORRUPTIONS", "configs", "heads", "layers", "names", "positions", "values"]
