"""Every head at a glance: small maps, and the numbers by which heads are found."""

import threading
from collections.abc import Callable, Sequence
from weakref import WeakSet, ref

import torch

from ... import capacity
from ...pooling import pooling_factor
from ...tracing import THUMBNAIL_CELLS, Trace
from .change import Change
from .packing import pack

STEPS = 255

_prepared: WeakSet[Trace | Change] = WeakSet()


def is_comfortable(trace: Trace) -> bool:
    """Whether the atlas takes seconds at most."""
    return capacity.is_comfortable(trace.num_layers, trace.num_heads, trace.num_frames)


def prepare_atlas(shown: Trace | Change, layer: int) -> None:
    """Begin to compute a comfortable atlas, the layers nearest to `layer` first, while the browser builds the page.

    Half a second passes before its first question. The thread holds no trace alive, and ends with it, or within a layer
    with the server (a daemon's end in the midst of PyTorch would abort the process).
    """
    trace = shown.before if isinstance(shown, Change) else shown
    if shown in _prepared or not is_comfortable(trace):
        return
    _prepared.add(shown)
    nearest_first = sorted(range(trace.num_layers), key=lambda other: abs(other - layer))
    threading.Thread(target=_summarize, args=(ref(shown), nearest_first), name="atlas", daemon=False).start()


def _summarize(find: Callable[[], Trace | Change | None], layers: Sequence[int]) -> None:
    for layer in layers:
        shown = find()
        if shown is None or not threading.main_thread().is_alive():
            return
        try:
            shown.layer_summary(layer)
        except (MemoryError, RuntimeError):
            return  # the browser will ask for the same, and be told
        del shown


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
