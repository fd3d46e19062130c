"""What position alone says: which rows of the bias table a clip reads, and what they hold."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .config import WavLMConfig
from .modules.positions import distance_buckets
from .tracing import Trace

REACH = 1.15  # how far beyond max_distance a curve is drawn, to show that it is flat there


class BucketRule(NamedTuple):
    """The bucket function of a config, over signed distances (key - query)."""

    distances: Int[Tensor, " distances"]  # frames, negative for keys before the query
    buckets: Int[Tensor, " distances"]  # rows of the table
    num_exact: int  # nearer than so many frames, each distance has a row of its own
    last_from: int  # frames; from here on all share the last row of their side
    unused: tuple[int, ...]  # rows that no distance leads to


def bucket_rule(config: WavLMConfig) -> BucketRule:
    """Tabulate the bucket function a little beyond max_distance, on both sides.

    Raises: ValueError for a config whose settings make no buckets.
    """
    reach = int(config.max_distance * REACH) + 1
    distances = torch.arange(-reach, reach + 1)
    buckets = distance_buckets(distances, config.num_buckets, config.max_distance)
    far_past = int((buckets[:reach] == buckets[0]).sum())
    used = set(buckets.tolist())
    unused = tuple(row for row in range(config.num_buckets) if row not in used)
    return BucketRule(distances, buckets, config.num_buckets // 4, reach - far_past + 1, unused)


def signed_rows(buckets: Int[Tensor, "..."], num_buckets: int) -> Int[Tensor, "..."]:
    """Order rows by distance: 0 for the query itself, below 0 for keys before it, above 0 for keys after it."""
    side = num_buckets // 2
    return torch.where(buckets >= side, buckets - side, -buckets)


def clip_buckets(trace: Trace) -> Int[Tensor, " distances"]:
    """Return the row of every distance in the clip, from -(frames - 1) to frames - 1."""
    config, furthest = trace.model.config, trace.num_frames - 1
    return distance_buckets(torch.arange(-furthest, furthest + 1), config.num_buckets, config.max_distance)


class BiasCurves(NamedTuple):
    """The learned bias over distance, ungated; the same for every layer."""

    distances_ms: Float[Tensor, " distances"]  # negative for keys before the query
    bias: Float[Tensor, "heads distances"]


@torch.no_grad()
def learned_bias(trace: Trace) -> BiasCurves:
    """Read the bias table at every distance up to a little beyond max_distance.

    Raises: ValueError for a model without relative positions.
    """
    model = trace.model
    if not model.config.relative_position_embedding:
        raise ValueError("Expected a model with relative positions (relative_position_embedding); this one has none.")
    distances = bucket_rule(model.config).distances
    bias = model.encoder.block(0).self_attn.bias_of_distances(distances)
    return BiasCurves(distances * 1000 * model.config.frame_seconds, bias.to("cpu", torch.float32))
