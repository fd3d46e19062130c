"""The bundled model's heads at twelve moments of its training, and what tells when they come into being."""

from dataclasses import replace
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from .audio import SAMPLE_RATE, Audio
from .modules.positions import distance_buckets
from .samples import load_sample

MAX_DISTANCE = 256  # frames, of nano
FRAME_MS = 20.0
SMALLEST = 1e-6  # a weight below which differences mean nothing


class Birth(NamedTuple):
    """Moments of one training run; what is about a clip is about the first seconds of the sample `clip_name`."""

    steps: Int[np.ndarray, " moments"]
    heldout: Float[np.ndarray, " moments"]  # share of hidden frames guessed right, in clips not learned from
    stranger: Float[np.ndarray, " moments"]  # the same of a speaker and a language never heard
    bias: Float[np.ndarray, "moments buckets heads"]  # layer 0's table, which serves all layers
    gate_low: Float[np.ndarray, "moments layers heads"]  # over the frames of the clip
    gate_mean: Float[np.ndarray, "moments layers heads"]
    gate_high: Float[np.ndarray, "moments layers heads"]
    maps: UInt8[np.ndarray, "moments layers heads cells cells"]  # weight / the largest of its row, 255 is 1
    peaks: Float[np.ndarray, "moments layers heads cells"]  # the largest weight of each row
    clip_name: str
    clip_seconds: float

    def weights(self, moment: int) -> Float[np.ndarray, "layers heads cells cells"]:
        """All maps of one moment; each cell is the largest weight of those it stands for."""
        return self.maps[moment] / np.float32(255) * self.peaks[moment][..., None]


@cache
def load_birth() -> Birth:
    """Read the file that comes with the bundled model."""
    file = resources.files("wavlm_explorer") / "assets" / "nano" / "birth.npz"
    with file.open("rb") as stream, np.load(stream) as arrays:
        half = ("bias", "gate_low", "gate_mean", "gate_high", "peaks")
        return Birth(
            arrays["step"], arrays["heldout"], arrays["stranger"],
            **{name: arrays[name].astype(np.float32) for name in half}, maps=arrays["maps"],
            clip_name=str(arrays["clip_name"]), clip_seconds=float(arrays["clip_seconds"][1]),
        )  # fmt: skip


def bias_over_distance(
    birth: Birth, moment: int
) -> tuple[Float[np.ndarray, " distances"], Float[np.ndarray, "heads distances"]]:
    """The bias of each head at one moment, over signed distances (key - query) in ms."""
    distances = torch.arange(-MAX_DISTANCE, MAX_DISTANCE + 1)
    rows = distance_buckets(distances, birth.bias.shape[1], MAX_DISTANCE).numpy()
    return distances.numpy() * FRAME_MS, birth.bias[moment][rows].T


def birth_clip() -> Audio:
    """The sound that the maps and gates are about."""
    sample = load_sample(load_birth().clip_name.removesuffix(".flac"))
    return replace(sample, samples=sample.samples[: round(load_birth().clip_seconds * SAMPLE_RATE)])


class Course(NamedTuple):
    """Four signs of life at every moment."""

    gate_range: Float[np.ndarray, " moments"]  # highest less lowest gate over the clip, mean over all heads
    bias_spread: Float[np.ndarray, " moments"]  # standard deviation over the rows of the table, mean over heads
    largest_weight: Float[np.ndarray, " moments"]  # of a row of a map, mean over rows and heads
    heldout: Float[np.ndarray, " moments"]  # share of hidden frames guessed right


def course(birth: Birth) -> Course:
    """Follow gates, bias, maps and accuracy through the training."""
    gate_range = (birth.gate_high - birth.gate_low).mean(axis=(1, 2))
    return Course(gate_range, birth.bias.std(axis=1).mean(axis=1), birth.peaks.mean(axis=(1, 2, 3)), birth.heldout)


def first_moment(values: Float[np.ndarray, " moments"], least: float) -> int:
    """The first moment at which a value is reached; the last where none is.

    values: at least one.
    """
    return int(np.argmax(values >= least)) if (values >= least).any() else len(values) - 1


def distance_share(birth: Birth, moment: int) -> float:
    """How much of what makes the maps uneven follows distance alone: a share of the variance of the logarithms.

    Each cell's logarithm is compared with the mean of its diagonal, that is of all cells as far from the query.
    """
    logarithms = np.log(birth.weights(moment) + SMALLEST)
    logarithms = logarithms.reshape(-1, *logarithms.shape[-2:])  # [maps, cells, cells]
    cells = np.arange(logarithms.shape[-1])
    diagonals = (cells[None, :] - cells[:, None] + len(cells) - 1).ravel()
    counts = np.bincount(diagonals)
    shares = []
    for flat in logarithms.reshape(len(logarithms), -1):
        of_distance = (np.bincount(diagonals, flat) / counts)[diagonals]
        shares.append((of_distance.var(), flat.var()))
    of_distance, whole = np.mean(shares, axis=0)
    return float(of_distance / whole)
