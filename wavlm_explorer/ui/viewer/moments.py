"""The moments of the bundled model's training in one block: once it is there, the browser needs nothing else."""

import hashlib
from functools import cache

import numpy as np

from ...birth import bias_over_distance, birth_clip, course, load_birth
from ...config import BASE
from ...labels import load_labels
from ...samples import sample_textgrid
from .packing import pack
from .payloads import sound_arrays


@cache
def moments_payload() -> bytes:
    """All that is known of all moments, and the clip that they are about.

    cells [moments x layers x heads, cells, cells] uint8, 255 for the largest of its row, and row_max [.., cells]
    float32; bias [moments, heads, distances], evenly spaced around 0; gate_low, gate_mean and gate_high
    [moments, layers, heads]; [moments] steps, stranger and the signs of life that `Course` names; the arrays of the
    sound. The facts are those that a viewer knows of a trace; `cell_frames` are how many frames a cell stands for.
    """
    birth, clip = load_birth(), birth_clip()
    moments, layers, heads, cells, _ = birth.maps.shape
    frames = BASE.num_frames(len(clip.samples))  # nano's front end is the released one
    edges = np.arange(cells + 1) * frames
    lengths = -(-edges[1:] // cells) - edges[:-1] // cells  # as adaptive pooling cuts: cells may share a frame
    facts = {
        "moments": moments,
        "layers": layers,
        "heads": heads,
        "frames": frames,
        "cell_frames": [int(lengths.min()), int(lengths.max())],
        "start": clip.start,
        "duration": clip.duration,
        "hop_seconds": BASE.frame_seconds,
        "field_seconds": BASE.receptive_field_samples / clip.sample_rate,
        "labels": [
            {"name": track.name, "intervals": track.between(0, clip.duration)}
            for track in load_labels(sample_textgrid(clip.name).encode())
        ],
    }
    arrays = {
        "cells": birth.maps.reshape(-1, cells, cells),
        "row_max": birth.peaks.reshape(-1, cells),
        "bias": np.stack([bias_over_distance(birth, moment)[1] for moment in range(moments)]),
        "gate_low": birth.gate_low,
        "gate_mean": birth.gate_mean,
        "gate_high": birth.gate_high,
        "steps": birth.steps,
        "stranger": birth.stranger,
        **course(birth)._asdict(),
    }
    return pack(facts, {name: _shrunk(array) for name, array in (arrays | sound_arrays(clip)).items()})


@cache
def moments_digest() -> str:
    """A name for the block as it is: another block has another address."""
    return hashlib.blake2b(moments_payload(), digest_size=8).hexdigest()


def _shrunk(array: np.ndarray) -> np.ndarray:
    """Floats in single precision, which is all that a browser's arrays need."""
    return array.astype(np.float32) if array.dtype == np.float64 else array
