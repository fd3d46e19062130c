"""Two checkpoints side by side: what fine-tuning moved, and what that does to a clip."""

from .difference import Difference
from .diffing import diff

__all__ = ["Difference", "diff"]
