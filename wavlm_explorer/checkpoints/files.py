"""One file, whatever its format."""

from pathlib import Path
from typing import BinaryIO

from .archives import read_archive, read_legacy
from .contents import Contents
from .errors import CheckpointError
from .kinds import TRACE_ENTRY, recognise
from .memory import open_memory
from .safetensor_files import read_safetensors


def read_file(source: Path | BinaryIO, name: str) -> Contents:
    """Read what one file holds, without executing any of it.

    Raises: OSError as the system gives it; CheckpointError for what is no sound checkpoint.
    """
    memory = open_memory(source)
    kind = recognise(memory)
    if kind == "safetensors":
        found = read_safetensors(memory)
        if TRACE_ENTRY in found.metadata:
            raise CheckpointError(
                "Expected a checkpoint; this is a trace: a model's way through one sound, not the whole model. Open it "
                "with load_trace or, on the page, as a sound."
            )
        return Contents(name, kind, found.tensors, num_bytes=len(memory), metadata=found.metadata)
    if kind == "legacy torch file":
        reading = read_legacy(memory)
    elif isinstance(source, Path):
        with source.open("rb") as file:
            reading = read_archive(file, memory)
    else:
        reading = read_archive(source, memory)
    return Contents(name, kind, reading.value, num_bytes=len(memory), foreign=reading.foreign)
