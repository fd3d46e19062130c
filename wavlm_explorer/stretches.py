"""A stretch of a clip, such as a word, and what one model makes of two of them, of one clip or of two."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, SupportsIndex

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .indices import check_index
from .measures import row_distance
from .pooling import pool_highest, pooling_factor
from .tracing import Trace

BLOCK_ROWS = 256  # whose weights are held at once
MARGIN_SECONDS = 1.5  # around a stretch, within which its attention is drawn
REACH_SECONDS = 1.0  # to both sides of a frame, for the mean by distance


@dataclass(frozen=True)
class Stretch:
    """Some neighbouring frames of a trace. The model heard the whole clip: a word keeps its surroundings."""

    trace: Trace
    name: str
    start: int  # the first frame
    stop: int  # behind the last

    @property
    def num_frames(self) -> int:
        """How many they are."""
        return self.stop - self.start

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the clip."""
        return self.num_frames == self.trace.num_frames


class StretchMap(NamedTuple):
    """Where the frames of a stretch look, pooled to what a picture can show."""

    weights: Float[Tensor, "query_cells key_cells"]  # each cell the largest weight of those it covers
    keys: slice  # the frames that the columns stand for: the stretch and what is around it
    factors: tuple[int, int]  # frames that a cell covers, down and across


class DistanceProfile(NamedTuple):
    """How much a frame of a stretch looks at what lies so far from it."""

    distances_ms: Float[Tensor, " distances"]  # below 0 is before the frame
    weights: Float[Tensor, " distances"]  # mean over the frames that have a key there


def whole(trace: Trace) -> Stretch:
    """All of a clip."""
    return Stretch(trace, trace.audio.name, 0, trace.num_frames)


def stretch_between(trace: Trace, start: float, end: float, name: str = "") -> Stretch:
    """The frames whose middle lies from `start` up to `end`, in seconds from the start of the file.

    Raises: ValueError where there is none.
    """
    times = trace.frame_times.double()
    first, stop = torch.searchsorted(times, torch.tensor([start, end], dtype=torch.double)).tolist()
    if first >= stop:
        raise ValueError(
            f"expected a stretch with the middle of a frame in it, frames from {times[0]:.2f} to {times[-1]:.2f} s; "
            f"found {start:g} to {end:g} s"
        )
    return Stretch(trace, name or f"{start:.2f} to {end:.2f} s", first, stop)


def stretch_map(stretch: Stretch, layer: SupportsIndex, head: SupportsIndex) -> StretchMap:
    """The rows of attention of a stretch, with the keys up to MARGIN_SECONDS around it.

    Raises: IndexError for a layer or head that is not there.
    """
    trace = stretch.trace
    margin = round(MARGIN_SECONDS / trace.model.config.frame_seconds)
    keys = slice(max(0, stretch.start - margin), min(trace.num_frames, stretch.stop + margin))
    factors = pooling_factor(stretch.num_frames), pooling_factor(keys.stop - keys.start)
    blocks = _rows(stretch, factors[0] * math.ceil(BLOCK_ROWS / factors[0]))
    pooled = [pool_highest(trace.attention(layer, head, rows)[0][:, keys], factors) for rows in blocks]
    return StretchMap(torch.cat(pooled), keys, factors)


def distance_profile(stretch: Stretch, layer: SupportsIndex, head: SupportsIndex) -> DistanceProfile:
    """The mean weight at each distance up to REACH_SECONDS: mean over i of A[i, i + d], where the clip has a key there.

    Raises: IndexError for a layer or head that is not there.
    """
    trace = stretch.trace
    reach = min(trace.num_frames - 1, round(REACH_SECONDS / trace.model.config.frame_seconds))
    distances = torch.arange(-reach, reach + 1)
    total, count = torch.zeros(len(distances), dtype=torch.double), torch.zeros(len(distances), dtype=torch.double)
    for rows in _rows(stretch):
        weights = F.pad(trace.attention(layer, head, rows)[0], (reach, reach))
        keys = torch.arange(rows.start, rows.stop)[:, None] + distances  # [rows, distances]
        total += weights.gather(1, keys + reach).double().sum(dim=0)
        count += ((keys >= 0) & (keys < trace.num_frames)).sum(dim=0)
    reached = count > 0
    return DistanceProfile(
        distances[reached] * 1000 * trace.model.config.frame_seconds, (total[reached] / count[reached]).float()
    )


def spans_ms(stretch: Stretch, layer: SupportsIndex) -> Float[Tensor, " heads"]:
    """Mean time between a frame of the stretch and what it attends to, for each head of a layer, in milliseconds.

    Raises: IndexError for a layer that is not there.
    """
    total = torch.zeros(stretch.trace.num_heads, dtype=torch.double)
    for rows in _rows(stretch):
        weights = stretch.trace.attention(layer, queries=rows)
        total += row_distance(weights, torch.arange(rows.start, rows.stop)).double().sum(dim=1)
    return (total / stretch.num_frames * 1000 * stretch.trace.model.config.frame_seconds).float()


def similarity(
    a: Stretch, b: Stretch, layer: SupportsIndex
) -> tuple[Float[Tensor, "frames_a frames_b"], tuple[int, int]]:
    """Cosine of every frame of one stretch with every frame of the other, as they leave a layer.

    What all frames of both clips have in common, their mean, is taken off first: else all would be alike. Of long
    stretches each so-manieth frame is taken, as the second result says.

    Raises: ValueError for stretches of different models; IndexError for a layer that is not there.
    """
    if a.trace.model is not b.trace.model:
        raise ValueError("expected two stretches of one model: the channels of two models do not correspond")
    state = check_index("layer", layer, a.trace.num_layers) + 1
    every = pooling_factor(a.num_frames), pooling_factor(b.num_frames)
    clips = [one.trace.hidden_states[state] for one in (a, b)]
    centre = torch.cat(clips if a.trace is not b.trace else clips[:1]).mean(dim=0)
    first, second = (
        F.normalize(clip[one.start : one.stop : step] - centre, dim=1)
        for clip, one, step in zip(clips, (a, b), every, strict=True)
    )
    return first @ second.T, every


def _rows(stretch: Stretch, size: int = BLOCK_ROWS) -> Iterator[slice]:
    for first in range(stretch.start, stretch.stop, size):
        yield slice(first, min(first + size, stretch.stop))
