"""Every head at a glance: small maps, and the numbers by which heads are found."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...figures.reduction import pooling_factor
from ...measures import MapSums
from ...tracing import Trace
from .packing import pack

THUMBNAIL_CELLS = 64  # along a side, at most
STEPS = 255


def atlas_payload(trace: Trace, layer: int) -> bytes:
    """Every head of a layer: a small map, each cell the largest weight of factor x factor frames, and its measures.

    cells [heads, queries, keys] uint8, 255 x sqrt(weight): one scale for all heads, so that no maxima need to travel
    along; a weight of 0.002 still reads 0.0019. Each of `measures.MEASURE_NAMES` [heads] float32.
    """
    thumbnails, measures = _summarize(trace, layer)
    cells = (thumbnails.sqrt() * STEPS).round().to(torch.uint8)
    return pack(
        {"layer": layer, "factor": pooling_factor(trace.num_frames, THUMBNAIL_CELLS)},
        {"cells": cells.numpy(), **{name: numbers.numpy() for name, numbers in measures.items()}},
    )


def _summarize(trace: Trace, layer: int) -> tuple[Tensor, dict[str, Tensor]]:
    terms, sums = trace.terms_of_heads(layer), MapSums(trace.num_frames)
    sums.add(terms.weights, terms.content, terms.position)
    factor = pooling_factor(trace.num_frames, THUMBNAIL_CELLS)
    return F.max_pool2d(terms.weights, factor, ceil_mode=True), sums.measures(trace.model.config.frame_seconds)
