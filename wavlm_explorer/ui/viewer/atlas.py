"""Every head at a glance: small maps, and the numbers by which heads are found."""

import numpy as np
import torch
import torch.nn.functional as F

from ...figures.reduction import pooling_factor
from ...measures import MapSums
from ...tracing import Trace
from .packing import pack

CELLS = 64  # along a side of a thumbnail, at most
STEPS = 255


def thumbnails_payload(trace: Trace, layer: int) -> bytes:
    """Every head of a layer as a small map: each cell the largest weight of factor x factor frames.

    cells [heads, queries, keys] uint8, 255 x sqrt(weight): one scale for all heads, so that no maxima need to travel
    along; a weight of 0.002 still reads 0.0019.
    """
    factor = pooling_factor(trace.num_frames, CELLS)
    pooled = F.max_pool2d(trace.attention(layer), factor, ceil_mode=True)
    cells = (pooled.sqrt() * STEPS).round().to(torch.uint8)
    return pack({"layer": layer, "factor": factor}, {"cells": cells.numpy()})


def measures_payload(trace: Trace, layer: int) -> bytes:
    """The numbers of every head of a layer, [heads] float32 each, by the names of `measures.MEASURE_NAMES`."""
    terms = trace.terms_of_heads(layer)
    sums = MapSums(trace.num_frames)
    sums.add(terms.weights, terms.content, terms.position)
    numbers = sums.measures(trace.model.config.frame_seconds)
    return pack({"layer": layer}, {name: number.numpy().astype(np.float32) for name, number in numbers.items()})
