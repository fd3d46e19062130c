"""Models from anywhere: what a source holds is read, never executed, and every tensor in it is accounted for."""

from ..source import Source
from .checkpoint import Account, Checkpoint
from .errors import CheckpointError
from .export import save_model
from .loading import build_model, load_model
from .reading import read_checkpoint

__all__ = [
    "Account",
    "Checkpoint",
    "CheckpointError",
    "Source",
    "build_model",
    "load_model",
    "read_checkpoint",
    "save_model",
]
