"""Which row of a bias table serves which distance, under WavLM's settings, T5's, or any that one wants to try."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from .config import BASE, WavLMConfig
from .modules.positions import distance_buckets

REACH = 1.15  # how far beyond max_distance a rule is tabulated, to show that it is flat there


class BucketSettings(NamedTuple):
    """What a bucket rule is made of; `distance_buckets(distances, *settings)` applies it."""

    num_buckets: int
    max_distance: int  # steps: frames, or tokens of a text
    bidirectional: bool = True

    @property
    def rows_per_side(self) -> int:
        """Rows that serve one side: half of them, or all where there is the past only."""
        return self.num_buckets // 2 if self.bidirectional else self.num_buckets

    @property
    def num_exact(self) -> int:
        """Nearer than so many steps, each distance has a row of its own."""
        return self.rows_per_side // 2

    @property
    def makes_buckets(self) -> bool:
        """Whether there is a rule with these settings; `distance_buckets` refuses them otherwise."""
        return 1 <= self.num_exact < self.max_distance


# Source: T5, arXiv 1910.10683, section 2.1, whose decoder sees the past only; WavLM, arXiv 2110.13900.
KNOWN_SETTINGS: Mapping[str, BucketSettings] = {
    "T5, encoder": BucketSettings(32, 128),
    "T5, decoder": BucketSettings(32, 128, bidirectional=False),
    "WavLM, as released": BucketSettings(BASE.num_buckets, BASE.max_distance),
    "nano": BucketSettings(64, 256),
}


def own_settings(config: WavLMConfig) -> BucketSettings:
    """Return the settings of a model; WavLM looks both ways."""
    return BucketSettings(config.num_buckets, config.max_distance)


class BucketRule(NamedTuple):
    """The bucket function of some settings, over signed distances (key - query)."""

    distances: Int[Tensor, " distances"]  # steps, negative for keys before the query
    buckets: Int[Tensor, " distances"]  # rows of the table
    last_from: int  # steps; from here on all share the last row of their side
    unused: tuple[int, ...]  # rows that no distance leads to


def bucket_rule(settings: BucketSettings) -> BucketRule:
    """Tabulate the bucket function a little beyond max_distance, on both sides.

    Raises: ValueError for settings that make no buckets.
    """
    reach = int(settings.max_distance * REACH) + 1
    distances = torch.arange(-reach, reach + 1)
    buckets = distance_buckets(distances, *settings)
    far_past = int((buckets[:reach] == buckets[0]).sum())
    used = set(buckets.tolist())
    unused = tuple(row for row in range(settings.num_buckets) if row not in used)
    return BucketRule(distances, buckets, reach - far_past + 1, unused)


def signed_rows(buckets: Int[Tensor, "..."], settings: BucketSettings) -> Int[Tensor, "..."]:
    """Order rows by distance: 0 for the query itself, below 0 for keys before it, above 0 for keys after it.

    One side only: the future is 0 too.
    """
    side = settings.rows_per_side
    return torch.where(buckets >= side, buckets - side, -buckets)


def clip_distances(num_frames: int) -> Int[Tensor, " distances"]:
    """Return every distance between two frames of a clip, from -(num_frames - 1) to num_frames - 1."""
    return torch.arange(1 - num_frames, num_frames)


class ClipReading(NamedTuple):
    """What a clip makes of a table of biases."""

    num_rows: int  # rows of the table that it reads
    num_usable: int  # rows that any distance leads to
    last_row_share: float  # of its pairs of frames, those so far apart that the distance no more counts


def clip_reading(num_frames: int, settings: BucketSettings) -> ClipReading:
    """Count the rows that a clip of so many frames reads, and its pairs that are `last_from` frames apart or more.

    Raises: ValueError for settings that make no buckets.
    """
    rule, distances = bucket_rule(settings), clip_distances(num_frames)
    pairs = num_frames - distances.abs()  # of frames at each distance
    is_far = distances.abs() >= rule.last_from
    if not settings.bidirectional:
        is_far &= distances < 0
    return ClipReading(
        len(distance_buckets(distances, *settings).unique()),
        settings.num_buckets - len(rule.unused),
        float(pairs[is_far].sum() / pairs.sum()),
    )
