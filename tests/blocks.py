"""Packed blocks, read as the browser reads them."""

import json
import struct
from typing import Any

import numpy as np


def unpack(content: bytes) -> dict[str, Any]:
    """Facts and arrays of a block, by name."""
    assert content[:4] == b"WLX1"
    (length,) = struct.unpack("<I", content[4:8])
    header = json.loads(content[8 : 8 + length])
    base = -(-(8 + length) // 8) * 8
    found: dict[str, Any] = dict(header["facts"])
    for name, array in header["arrays"].items():
        count = int(np.prod(array["shape"]))
        flat = np.frombuffer(content, array["dtype"], count, base + array["offset"])
        found[name] = flat.reshape(array["shape"])
    return found
