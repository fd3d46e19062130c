"""What the viewer asks for, as packed arrays: the sound, a layer, one head's window."""

import numpy as np

from ...spectrogram import DYNAMIC_RANGE_DB, spectrogram
from ...tracing import Trace
from .atlas import measures_payload, thumbnails_payload
from .packing import pack
from .quantization import quantize
from .stages import bias_curves, stages_payload

ENVELOPE_COLUMNS = 2400  # of the waveform: more than a screen has pixels


def sound_payload(trace: Trace) -> bytes:
    """The sound as the model heard it: a WAV file, its envelope and its spectrogram.

    envelope [2, columns]: int8, lowest and highest sample / 127. spectrogram [frequencies, columns]: uint8, 0 is
    -70 dB and 255 the loudest moment; its first column is centred on the first sample.
    """
    samples = trace.audio.samples
    edges = np.linspace(0, len(samples), min(ENVELOPE_COLUMNS, len(samples)) + 1).astype(int)[:-1]
    envelope = np.stack([np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)])
    shown = spectrogram(trace.audio)
    decibels = (shown.decibels.numpy() / DYNAMIC_RANGE_DB + 1).clip(0, 1) * 255
    return pack(
        {"start": trace.audio.start, "duration": trace.audio.duration},
        {
            "wav": np.frombuffer(trace.audio.to_wav(), np.uint8),
            "envelope": (envelope.clip(-1, 1) * 127).round().astype(np.int8),
            "spectrogram": decibels.round().astype(np.uint8),
            "spectrogram_times": shown.times.numpy(),
        },
    )


def layer_payload(trace: Trace, layer: int) -> bytes:
    """Every head of a layer: its map, one byte a cell, its gate, and what the bias table holds for each distance.

    cells [heads, queries, keys] uint8 and row_max [heads, queries] float32; gate [heads, frames] and
    bias [heads, distances] float32, as `bias_curves` cuts it.
    """
    maps = quantize(trace.attention(layer))
    return pack(
        {"layer": layer, "factor": 1},
        {
            "cells": maps.cells,
            "row_max": maps.row_max,
            "gate": trace.gate(layer).numpy(),
            "bias": bias_curves(trace).numpy(),
        },
    )


MAKERS = {
    "sound": sound_payload,
    "layer": layer_payload,
    "stages": stages_payload,
    "thumbnails": thumbnails_payload,
    "measures": measures_payload,
}


def make(trace: Trace, what: str, wanted: dict[str, str]) -> bytes:
    """Make what the browser asks for by name; `wanted` are its whole numbers, such as layer=3.

    Raises: KeyError for what is not in MAKERS; ValueError, IndexError for numbers that make no sense.
    """
    if what not in MAKERS:
        raise KeyError(f"expected one of {', '.join(MAKERS)}; found {what!r}")
    return MAKERS[what](trace, **{name: int(value) for name, value in wanted.items()})
