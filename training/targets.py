"""What the model has to guess: which of 100 kinds of sound each 20 ms frame is.

Round one clusters cepstra, as HuBERT does; round two clusters what a layer of the first model makes of the sound.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wavlm_explorer.sound_classes import Clusters, cepstra, nearest
from wavlm_explorer.wavlm import WavLM

from .speech import SPLITS, Speech, load

NUM_CLASSES = 100


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
