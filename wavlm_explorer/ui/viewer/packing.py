"""Named arrays as one block of bytes that a browser reads without copying numbers into text."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"WLX1"
ALIGNMENT = 8  # bytes; each array starts at a multiple, so that the browser can view it in place


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Put facts (JSON) and arrays into one block.

    Layout: "WLX1", the header's length (uint32, little endian), the header (JSON: `facts`, and for each array its
    dtype, shape and offset behind the header), then the arrays; header and arrays are padded to 8 bytes.
    """
    index, blocks, offset = {}, [], 0
    for name, array in arrays.items():
        content = np.ascontiguousarray(array).tobytes()
        index[name] = {"dtype": array.dtype.name, "shape": array.shape, "offset": offset}
        blocks.append(_padded(content))
        offset += len(blocks[-1])
    header = json.dumps({"facts": facts, "arrays": index}, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(header))
    return b"".join([_padded(start + header), *blocks])


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % ALIGNMENT)
