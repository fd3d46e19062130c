"""What the model has to guess: which of 100 kinds of sound each 20 ms frame is.

Round one clusters cepstra, as HuBERT does; round two clusters what a layer of the first model makes of the sound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wavlm_explorer.wavlm import WavLM

from .speech import HOP, SAMPLE_RATE, SPLITS, WINDOW, Speech, load

NUM_CLASSES = 100
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
    windows = emphasised.unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW)  # [frames, 400]
    power = torch.fft.rfft(windows, FFT_SIZE).abs().square()  # [frames, 257]
    statics = (power @ mel_filters() + FLOOR).log() @ cosines()  # [frames, 13]
    first = slopes(statics)
    return torch.cat([statics, first, slopes(first)], dim=1)


def speech_cepstra(speech: Speech) -> Float[Tensor, "frames 39"]:
    """The cepstra of a whole split, voice by voice."""
    ends = (*speech.speaker_starts[1:], speech.num_frames)
    voices = zip(speech.speaker_starts, ends, strict=True)
    return torch.cat([cepstra(torch.from_numpy(speech.crop(start, end - start))) for start, end in voices])


def first_centres(features: Float[Tensor, "frames features"], num_classes: int, generator: torch.Generator) -> Tensor:
    """k-means++: each next centre is a frame, likelier the farther it lies from the centres so far."""
    chosen = features[torch.randint(len(features), (1,), generator=generator)]
    distances = (features - chosen).square().sum(1)
    while len(chosen) < num_classes:
        new = features[torch.multinomial(distances, 1, generator=generator)]
        distances = torch.minimum(distances, (features - new).square().sum(1))
        chosen = torch.cat([chosen, new])
    return chosen


def cluster(
    features: Float[Tensor, "frames features"], num_classes: int = NUM_CLASSES, num_passes: int = 40, seed: int = 0
) -> Clusters:
    """k-means, started by k-means++ on a tenth of the frames; a class left empty keeps its centre."""
    mean, scale = features.mean(0), features.std(0)
    features = (features - mean) / scale
    generator = torch.Generator().manual_seed(seed)
    sample_size = max(len(features) // 10, 10 * num_classes)
    sample = features[torch.randperm(len(features), generator=generator)[:sample_size]]
    centres = first_centres(sample, num_classes, generator)
    for _ in range(num_passes):
        classes = nearest(features, centres)
        counts = torch.bincount(classes, minlength=num_classes)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, classes, features)
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return Clusters(mean, scale, centres)


@torch.no_grad()
def layer_features(model: WavLM, speech: Speech, layer: int, num_frames: int = 500) -> Float[Tensor, "frames width"]:
    """What leaves `layer` (counted from 1) for every frame of a split, heard ten seconds at a time."""
    model.eval()
    pieces = []
    for start in range(0, speech.num_frames, num_frames):
        clip = speech.crop(start, min(num_frames, speech.num_frames - start))
        features, _ = model.extract_features(torch.from_numpy(clip)[None].to(model.device), output_layer=layer)
        pieces.append(features[0].float().cpu())
    return torch.cat(pieces)


def save_targets(folder: Path, features: Mapping[str, Float[Tensor, "frames features"]]) -> None:
    """Cluster the training split's features, and write the class of every frame of every split next to its samples."""
    clusters = cluster(features["train"])
    torch.save(vars(clusters), folder / "clusters.pt")
    for split, frames in features.items():
        np.save(folder / f"{split}_classes.npy", clusters.assign(frames).numpy().astype(np.uint8))


def load_clusters(folder: Path) -> Clusters:
    """The clusters as `save_targets` left them."""
    return Clusters(**torch.load(folder / "clusters.pt", weights_only=True))


def labelled_splits(folder: Path) -> dict[str, tuple[Speech, Int[Tensor, " frames"]]]:
    """Every split of a round that is there: its speech, and the class of each of its frames."""
    found = [split for split in SPLITS if (folder / f"{split}_classes.npy").exists()]
    classes = {split: torch.from_numpy(np.load(folder / f"{split}_classes.npy")).long() for split in found}
    return {split: (load(folder, split), classes[split]) for split in found}
