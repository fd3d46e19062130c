"""Kinds of sound: what the bundled model was taught to name, one class for each 20 ms frame, told from its cepstra."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .audio import SAMPLE_RATE

HOP_SAMPLES = 320  # from frame to frame: 20 ms, as of the released front ends
WINDOW_SAMPLES = 400  # a frame sees: 25 ms
NUM_CEPSTRA = 13
NUM_BANDS = 26
FFT_SIZE = 512
FLOOR = 1e-4  # band power below which all is silence: about 70 dB under full scale


@dataclass(frozen=True)
class Clusters:
    """`centres` [classes, features] of features brought to `mean` 0 and `scale` 1: a frame belongs to the nearest.

    Without the scaling loudness would weigh more than all other cepstra together.
    """

    mean: Float[Tensor, " features"]
    scale: Float[Tensor, " features"]
    centres: Float[Tensor, "classes features"]

    def assign(self, features: Float[Tensor, "frames features"]) -> Int[Tensor, " frames"]:
        """The class of every frame."""
        return nearest((features - self.mean) / self.scale, self.centres)


def nearest(features: Float[Tensor, "frames features"], centres: Float[Tensor, "classes features"]) -> Tensor:
    """Index of the nearest centre: |x - c|^2 = |x|^2 - 2 x.c + |c|^2, of which the first term decides nothing."""
    return torch.addmm(centres.square().sum(1), features, centres.T, alpha=-2).argmin(dim=1)


@cache
def mel_filters() -> Float[Tensor, "bins bands"]:
    """Triangles of equal width on the mel scale from 0 to 8 kHz."""

    def mel(hertz: np.ndarray) -> np.ndarray:
        return 2595 * np.log10(1 + hertz / 700)

    bins = mel(np.linspace(0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1))[:, None]
    edges = np.linspace(0, mel(np.array(SAMPLE_RATE / 2)), NUM_BANDS + 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.minimum(rising, falling).clip(min=0)).float()


@cache
def cosines() -> Float[Tensor, "bands cepstra"]:
    """The orthonormal discrete cosine transform (type 2), its first 13 columns."""
    bands = torch.arange(NUM_BANDS)[:, None] + 0.5
    basis = torch.cos(torch.pi / NUM_BANDS * bands * torch.arange(NUM_CEPSTRA)) * (2 / NUM_BANDS) ** 0.5
    basis[:, 0] *= 0.5**0.5
    return basis


def slopes(features: Float[Tensor, "frames features"]) -> Float[Tensor, "frames features"]:
    """The straight line's slope through five frames around each; the ends are repeated."""
    padded = torch.nn.functional.pad(features.T[None], (2, 2), mode="replicate")[0].T
    return (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10


def cepstra(samples: Float[Tensor, " samples"]) -> Float[Tensor, "frames 39"]:
    """13 mel cepstra, their slopes and the slopes of those, one row for each of WavLM's frames.

    Row i is seen through the 400 samples that frame i of the model sees: centred on sample 320 i + 200.
    """
    emphasised = torch.cat([samples[:1], samples[1:] - 0.97 * samples[:-1]])
    windows = emphasised.unfold(0, WINDOW_SAMPLES, HOP_SAMPLES) * torch.hann_window(WINDOW_SAMPLES)  # [frames, 400]
    power = torch.fft.rfft(windows, FFT_SIZE).abs().square()  # [frames, 257]
    statics = (power @ mel_filters() + FLOOR).log() @ cosines()  # [frames, 13]
    first = slopes(statics)
    return torch.cat([statics, first, slopes(first)], dim=1)
