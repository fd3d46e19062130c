"""Models from files: what a file holds is read, never executed, and every tensor in it is accounted for."""

from ..source import Source
from .errors import CheckpointError
from .loading import available_devices, load_model, resolve_device

__all__ = ["CheckpointError", "Source", "available_devices", "load_model", "resolve_device"]
