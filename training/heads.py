"""What each head looks at, in numbers, and the heads that show it best."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wavlm_explorer import Audio, Trace
from wavlm_explorer.sound_classes import Clusters, cepstra

from .speech import HOP, WINDOW

NEAR = 10  # frames: 200 ms
FAR = 100  # frames: 2 s
LOCAL_LIFT = 3.0  # a head is local if its mass nearby is this many times the flat share
QUIET_DECIBELS = 30.0  # a frame this far below the clip's loud frames is silence

Pairs = Bool[Tensor, "queries keys"]
PerHead = Float[Tensor, "layers heads"]

# What each kind of head should have much of: the name of a score below.
EXEMPLARS = {
    "looks back": "behind",
    "looks ahead": "ahead",
    "past only": "far_past",
    "similar sounds": "similar",
    "silence": "silence",
    "avoids silence": "sound",
    "two-sided": "both_sides",
}


def lags(num_frames: int) -> Int[Tensor, "queries keys"]:
    """Key index minus query index: negative behind the query, in its past."""
    frames = torch.arange(num_frames)
    return frames - frames[:, None]


def mass(weights: Float[Tensor, "heads queries keys"], pairs: Pairs) -> Float[Tensor, " heads"]:
    """Share of attention that falls on the chosen pairs, averaged over the queries that have any."""
    rows = pairs.any(dim=1)
    return (weights * pairs)[:, rows].sum(-1).mean(-1)


def flat_mass(pairs: Pairs) -> float:
    """What `mass` would be for a head that attends to all frames alike."""
    return float(pairs[pairs.any(dim=1)].float().mean())


def every_layer(trace: Trace, pairs: Pairs) -> PerHead:
    """`mass` of every head."""
    return torch.stack([mass(trace.attention(layer), pairs) for layer in range(trace.num_layers)])


def local_lift(trace: Trace, within: int = NEAR) -> PerHead:
    """Mass within so many frames of the query, over the flat share of it."""
    pairs = lags(trace.num_frames).abs() <= within
    return every_layer(trace, pairs) / flat_mass(pairs)


def silent_frames(audio: Audio) -> Bool[Tensor, " frames"]:
    """Frames much quieter than the loud ones (the 95th percentile of the frames' power)."""
    windows = torch.tensor(audio.samples).unfold(0, WINDOW, HOP)
    decibels = 10 * (windows.square().mean(1) + 1e-10).log10()
    return decibels < decibels.quantile(0.95) - QUIET_DECIBELS


def scores(trace: Trace, clusters: Clusters) -> dict[str, PerHead]:
    """One number a head for each thing a head can look at; each is larger the more the head does just that.

    behind, ahead   mass within 200 ms on one side less that on the other
    both_sides      mass 200 ms to 2 s away, over its flat share, on the side that has less of it
    far_past        mass more than 200 ms back less that more than 200 ms ahead
    similar         mass on frames of the query's own class farther away than 200 ms, over its flat share
    silence         mass that speech frames send to silent frames, over its flat share; 1 where nothing is silent
    sound           1 less that: 1 for a head that never looks at silence
    """
    lag = lags(trace.num_frames)
    behind, ahead = (every_layer(trace, near) for near in ((lag < 0) & (lag >= -NEAR), (lag > 0) & (lag <= NEAR)))
    past, future = (every_layer(trace, far) for far in (lag < -NEAR, lag > NEAR))
    sides = [(side > NEAR) & (side <= FAR) for side in (lag, -lag)]
    lifts = [every_layer(trace, side) / flat_mass(side) for side in sides]

    classes = clusters.assign(cepstra(torch.tensor(trace.audio.samples)))
    same = (lag.abs() > NEAR) & (classes == classes[:, None])
    silent = silent_frames(trace.audio)
    to_silence = ~silent[:, None] & silent
    silence = every_layer(trace, to_silence) / flat_mass(to_silence) if to_silence.any() else torch.ones_like(behind)
    return {
        "behind": behind - ahead,
        "ahead": ahead - behind,
        "both_sides": torch.minimum(*lifts),
        "far_past": past - future,
        "similar": every_layer(trace, same) / flat_mass(same),
        "silence": silence,
        "sound": 1 - silence,
    }


@dataclass(frozen=True)
class Exemplar:
    """The head that does one thing most, and its score."""

    name: str
    layer: int
    head: int
    score: float


def exemplars(clips: list[Mapping[str, PerHead]]) -> list[Exemplar]:
    """For every name in EXEMPLARS the head with the highest score, averaged over the clips; no head serves twice."""
    taken: set[tuple[int, int]] = set()
    chosen = []
    for name, score in EXEMPLARS.items():
        mean = torch.stack([clip[score] for clip in clips]).mean(0)
        for flat in mean.flatten().argsort(descending=True).tolist():
            layer, head = divmod(flat, mean.shape[1])
            if (layer, head) not in taken:
                taken.add((layer, head))
                chosen.append(Exemplar(name, layer, head, float(mean[layer, head])))
                break
    return chosen
