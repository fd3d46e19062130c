"""The bytes of a source, and numbers in them as tensors that share their memory."""

import math
import mmap
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from .errors import CheckpointError


def open_memory(source: Path | BinaryIO) -> memoryview:
    """Return all bytes of a file, writable, so that tensors can be views of them.

    A path is mapped privately: pages are read when they are used and nothing that is written reaches the file. A file
    object is read from its start into one buffer, the only copy of its bytes that is made.

    Raises: FileNotFoundError and other OSError as the system gives them; CheckpointError for an empty source.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            if not source.stat().st_size:
                raise CheckpointError(f"{source.name} is empty: 0 bytes. Fetch it again.")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    memory = memoryview(bytearray(source.seek(0, 2)))
    source.seek(0)
    read = 0
    while count := source.readinto(memory[read:]):  # pyright: ignore[reportAttributeAccessIssue]
        read += count
    if not read:
        raise CheckpointError("The file is empty: 0 bytes. Fetch it again.")
    return memory[:read]


def numbers(memory: memoryview, dtype: torch.dtype, offset: int, count: int) -> Tensor:
    """View `count` numbers that start `offset` bytes into the memory: a flat tensor with a storage of its own.

    Raises: CheckpointError when they are not all there.
    """
    if min(count, offset) < 0 or offset + count * dtype.itemsize > len(memory):
        raise CheckpointError(
            f"Expected {count:,} numbers of {dtype} from byte {offset:,} on; the file has {len(memory):,} bytes. "
            "It is damaged or was cut short: fetch it again."
        )
    if count == 0:
        return torch.empty(0, dtype=dtype)
    return torch.frombuffer(memory, dtype=dtype, count=count, offset=offset)


def is_finite(tensor: Tensor) -> bool:
    """Whether no number is NaN or infinite."""
    return not tensor.numel() or all(map(math.isfinite, tensor.aminmax()))  # both ends are NaN if one number is
