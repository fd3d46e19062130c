"""Files of the safetensors format: eight bytes with the length of a JSON header, the header, and the numbers.

Read here, not by the library of that name, which copies what does not come from a path and does not say which tensor
is wrong or how many bytes are missing; the tests compare the two.
Source: https://huggingface.co/docs/safetensors, "Format".
"""

import json
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError
from .memory import numbers
from .rebuilding import MAX_DIMENSIONS, is_count

MAX_JSON = 16 * 2**20  # bytes of a header, an index or a config; a WavLM needs under 0.1
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
    "BOOL": torch.bool,
    "C64": torch.complex64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


@dataclass(frozen=True)
class Tensors:
    """What a safetensors file holds."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_safetensors(memory: memoryview) -> Tensors:
    """Read a safetensors file; its tensors are views of the memory.

    Raises: CheckpointError naming the tensor that is wrong.
    """
    length = int.from_bytes(memory[:8], "little")
    if length > min(MAX_JSON, len(memory) - 8):
        raise CheckpointError(
            f"The safetensors header should have {length:,} bytes; the file has {len(memory):,} in all, and "
            f"{MAX_JSON:,} is the limit. It is damaged or was cut short: fetch it again."
        )
    header = parse_json(bytes(memory[8 : 8 + length]), "the safetensors header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise CheckpointError("The safetensors header has metadata that is no dictionary: the file is damaged.")
    numbers_of = memory[8 + length :]
    entries = {name: _parse_entry(name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, start, stop) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if start != end:
            raise CheckpointError(f"{name[:100]} should start at byte {end:,} of the numbers; found {start:,}.")
        end = stop
    if end != len(numbers_of):
        cut = "It was cut short" if end > len(numbers_of) else "It is damaged"
        raise CheckpointError(
            f"The safetensors header announces {8 + length + end:,} bytes; the file has {len(memory):,}. "
            f"{cut}: fetch it again."
        )
    tensors = {
        name: numbers(numbers_of, dtype, start, prod(shape)).view(shape)
        for name, (dtype, shape, start, _) in entries.items()
    }
    return Tensors(tensors, {str(key): str(value) for key, value in metadata.items()})


def parse_json(text: bytes, name: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises: CheckpointError.
    """
    if len(text) > MAX_JSON:
        raise CheckpointError(f"{name} has {len(text):,} bytes; {MAX_JSON:,} is the limit.")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"Expected {name} to be JSON; it is not: {str(error)[:100]}. Fetch it again.") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"Expected {name} to be a JSON object; found a {type(content).__name__}.")
    return content


def _parse_entry(name: str, entry: Any) -> tuple[torch.dtype, list[int], int, int]:
    """Check what a header says of one tensor: (dtype, shape, first byte, byte after the last)."""
    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [start, stop]} if len(shape) <= MAX_DIMENSIONS:
            sound = all(map(is_count, [*shape, start, stop]))
        case _:
            sound, kind, shape, start, stop = False, "", [], 0, 0
    if not sound:
        raise CheckpointError(f"{name[:100]}: expected dtype, shape and data_offsets in the header. It is damaged.")
    if kind not in DTYPES:
        raise CheckpointError(f"{name[:100]} has the type {kind[:20]}, which is not read.")
    dtype = DTYPES[kind]
    if stop - start != prod(shape) * dtype.itemsize:
        raise CheckpointError(
            f"{name[:100]}: {prod(shape):,} numbers of {dtype} need {prod(shape) * dtype.itemsize:,} bytes; "
            f"the header gives {stop - start:,}. The file is damaged."
        )
    return dtype, shape, start, stop
