"""Every head at a glance: small maps, and the numbers by which heads are found."""

import torch

from ...pooling import pooling_factor
from ...tracing import THUMBNAIL_CELLS, Trace
from .packing import pack

STEPS = 255


def atlas_payload(trace: Trace, layer: int) -> bytes:
    """Every head of a layer: a small map, each cell the largest weight of factor x factor frames, and its measures.

    cells [heads, queries, keys] uint8, 255 x sqrt(weight): one scale for all heads, so that no maxima need to travel
    along; a weight of 0.002 still reads 0.0019. Each of `measures.MEASURE_NAMES` [heads] float32.
    """
    thumbnails, measures = trace.layer_summary(layer)
    cells = (thumbnails.sqrt() * STEPS).round().to(torch.uint8)
    return pack(
        {"layer": layer, "factor": pooling_factor(trace.num_frames, THUMBNAIL_CELLS)},
        {"cells": cells.numpy(), **{name: numbers.numpy() for name, numbers in measures.items()}},
    )
