"""A path or an upload, whatever its format, to its contents."""

from pathlib import Path
from typing import BinaryIO

from .contents import Contents
from .errors import CheckpointError
from .files import read_file
from .folders import folder_of, read_folder


def open_contents(source: Path | BinaryIO, name: str) -> Contents:
    """Open a file of torch.save, a safetensors file or a folder of Hugging Face; `name` is what it will be called.

    A file in such a folder stands for the folder. Tensors of a path are views of its memory map; those of a file
    object are views of the one copy that is made of its bytes, so it can be closed. Nothing in a file is executed.

    Raises: FileNotFoundError and other OSError as the system gives them; CheckpointError, whose message says what was
    expected, what was found and what to do.
    """
    if not isinstance(source, Path):
        return read_file(source, name)
    folder = folder_of(source)
    if folder is not None:
        return read_folder(folder, name)
    if source.exists() and not source.is_file():
        raise CheckpointError(f"Expected a file or a folder; {source.name} is neither.")
    return read_file(source, name)
