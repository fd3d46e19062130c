"""What the viewer asks for, as packed arrays: the sound, a layer, one head's window."""

import inspect
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...audio import Audio
from ...modules import rows_at_once
from ...pooling import max_pool, pooling_factor
from ...spectrogram import DYNAMIC_RANGE_DB, spectrogram
from ...tracing import Trace
from .atlas import atlas_payload
from .change import Change, difference_payload, moved_payload, over_time_payload
from .guesses import class_payload, classes_payload, guess_payload, moment_payload, share_payload
from .packing import pack
from .quantization import EXACT_CELLS, WINDOW_CELLS, quantize
from .stages import bias_curves, stages_payload

LAYER_CELLS = 500  # along an axis: 10 s of a Base layer are 3 MB


def sound_payload(trace: Trace) -> bytes:
    """The sound as the model heard it, as `sound_arrays` gives it."""
    return pack({"start": trace.audio.start, "duration": trace.audio.duration}, sound_arrays(trace.audio))


def sound_arrays(audio: Audio) -> dict[str, np.ndarray]:
    """A WAV file, and the sound's spectrogram.

    spectrogram [frequencies, columns]: uint8, 0 is -70 dB and 255 the loudest moment; its first column is centred on
    the first sample.
    """
    shown = spectrogram(audio)
    decibels = (shown.decibels.numpy() / DYNAMIC_RANGE_DB + 1).clip(0, 1) * 255
    return {
        "wav": np.frombuffer(audio.to_wav(), np.uint8),
        "spectrogram": decibels.round().astype(np.uint8),
        "spectrogram_times": shown.times.numpy(),
    }


def layer_payload(trace: Trace, layer: int) -> bytes:
    """Every head of a layer, one byte a cell, and its gate; a cell is the largest of factor x factor frames.

    cells [heads, queries, keys] uint8 and row_max [heads, queries] float32; gate [heads, frames] and
    bias [heads, distances] float32, as `bias_curves` cuts it: those that acted in this layer.
    """
    factor = pooling_factor(trace.num_frames, LAYER_CELLS)
    maps = quantize(trace.attention_overview(layer, cells=LAYER_CELLS))
    return pack(
        {"layer": layer, "factor": factor},
        {
            "cells": maps.cells,
            "row_max": maps.row_max,
            "gate": trace.gate(layer).numpy(),
            "bias": bias_curves(trace, layer).numpy(),
        },
    )


def window_payload(trace: Trace, layer: int, head: int, start: int, stop: int) -> bytes:
    """One head's weights among the frames `start` to `stop`: exact if they are few, else as a layer of one head.

    weights [queries, keys] float32, or cells [1, queries, keys] uint8 and row_max [1, queries] float32.
    """
    if not 0 <= start < stop <= trace.num_frames:
        raise ValueError(f"expected frames within 0 to {trace.num_frames}; found {start} to {stop}")
    factor = pooling_factor(stop - start, WINDOW_CELLS)
    weights = _pool_window(trace, layer, head, start, stop, factor)
    facts = {"layer": layer, "head": head, "from": start, "to": stop, "factor": factor}
    if stop - start <= EXACT_CELLS:
        return pack(facts, {"weights": weights[0].numpy()})
    maps = quantize(weights)
    return pack(facts, {"cells": maps.cells, "row_max": maps.row_max})


def _pool_window(
    trace: Trace, layer: int, head: int, start: int, stop: int, factor: int
) -> Float[Tensor, "head pooled_queries pooled_keys"]:
    """Go by blocks of rows, so that a long window needs the memory of a few."""
    step = factor * max(1, rows_at_once(trace.model.device, 1, trace.num_frames) // factor)
    blocks = [slice(first, min(first + step, stop)) for first in range(start, stop, step)]
    pooled = [max_pool(trace.attention(layer, head, rows)[0, :, start:stop], factor) for rows in blocks]
    return torch.cat(pooled)[None]


MAKERS: dict[str, Callable[..., bytes]] = {
    "sound": sound_payload,
    "layer": layer_payload,
    "window": window_payload,
    "stages": stages_payload,
    "atlas": atlas_payload,
}
CLOZE_MAKERS: dict[str, Callable[..., bytes]] = {  # of traces whose model can hear the clip once more
    "classes": classes_payload,
    "guess": guess_payload,
    "share": share_payload,
    "moment": moment_payload,
    "class": class_payload,
}
CHANGE_MAKERS: dict[str, Callable[..., bytes]] = {
    "over_time": over_time_payload,
    "moved": moved_payload,
    "difference": difference_payload,
}


def make(shown: Trace | Change, what: str, wanted: dict[str, str]) -> bytes:
    """Make what the browser asks for by name; `wanted` are its whole numbers, such as layer=3.

    Of a change, what is asked of a trace is that of the pass under interventions.

    Raises: KeyError for what none of the makers is called; ValueError, IndexError for numbers that make no sense.
    """
    makers, subject = MAKERS | CLOZE_MAKERS, shown
    if isinstance(shown, Change):
        makers, subject = (CHANGE_MAKERS, shown) if what in CHANGE_MAKERS else (MAKERS, shown.after)
    if what not in makers:
        raise KeyError(f"expected one of {', '.join(makers)}; found {what!r}")
    numbers = {name: int(value) for name, value in wanted.items()}
    try:
        inspect.signature(makers[what]).bind(subject, **numbers)
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from error
    return makers[what](subject, **numbers)
