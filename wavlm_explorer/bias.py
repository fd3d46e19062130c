"""What position alone says: each head's learned bias over distance, and what the head prefers."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .buckets import BucketSettings, bucket_rule, clip_distances, own_settings
from .modules.positions import distance_buckets
from .tracing import Trace

FAR_MS = 1000.0  # a preference tells what is farther than this from what is nearer
FLAT = 1e-6  # a peak that rises less above what is typical is none
ZONES = ("back, far", "back, near", "itself", "ahead, near", "ahead, far")  # where a key may lie


class BiasCurves(NamedTuple):
    """The learned bias over distance, ungated; the same for every layer."""

    distances_ms: Float[Tensor, " distances"]  # negative for keys before the query
    bias: Float[Tensor, "heads distances"]


def learned_bias(trace: Trace) -> BiasCurves:
    """Read the bias table at every distance up to a little beyond max_distance: the model's, whatever interventions do.

    Raises: ValueError for a model without relative positions.
    """
    return _read_table(trace, bucket_rule(own_settings(trace.model.config)).distances)


@torch.no_grad()
def _read_table(trace: Trace, distances: Int[Tensor, " distances"]) -> BiasCurves:
    config = trace.model.config
    if not config.relative_position_embedding:
        raise ValueError("Expected a model with relative positions (relative_position_embedding); this one has none.")
    bias = trace.model.encoder.block(0).self_attn.bias_of_distances(distances)
    return BiasCurves(distances * 1000 * config.frame_seconds, bias.to("cpu", torch.float32))


def coarse_bias(trace: Trace, settings: BucketSettings) -> BiasCurves:
    """Average the learned bias over the distances that would share a row under other settings.

    No table with those settings comes nearer to it (in squares, every distance counted alike).

    Raises: ValueError for a model without relative positions, and for settings that make no buckets.
    """
    curves = learned_bias(trace)
    rows = distance_buckets(bucket_rule(own_settings(trace.model.config)).distances, *settings)
    table = torch.zeros(len(curves.bias), settings.num_buckets).index_add(1, rows, curves.bias)
    counts = torch.bincount(rows, minlength=settings.num_buckets)
    return BiasCurves(curves.distances_ms, (table / counts.clamp(min=1))[:, rows])


class Preferences(NamedTuple):
    """What each head prefers among the distances of a clip, were its gate 1 and content equal everywhere."""

    peak_ms: Float[Tensor, " heads"]  # where the bias is highest; negative is before the query
    peak: Float[Tensor, " heads"]  # the bias there
    typical: Float[Tensor, " heads"]  # the median bias over all distances of the clip
    half_ms: Float[Tensor, "heads 2"]  # around the peak, from where to where a key gets at least half its weight
    shares: Float[Tensor, "heads 5"]  # of the middle frame's attention, by ZONES
    even_shares: Float[Tensor, " 5"]  # the same, were all frames looked at alike


def preferences(trace: Trace) -> Preferences:
    """Measure what each head's bias prefers; softmax(bias) is what position alone would make of attention.

    The bias is the model's table, whatever interventions make of it in some layer.

    Raises: ValueError for a model without relative positions.
    """
    num_frames, middle = trace.num_frames, trace.num_frames // 2
    distances, bias = _read_table(trace, clip_distances(num_frames))
    peaks = bias.argmax(dim=1)
    half = [_half_weight(row, int(peak)) for row, peak in zip(bias, peaks, strict=True)]
    row = slice(num_frames - 1 - middle, 2 * num_frames - 1 - middle)  # what the middle frame sees
    zones = _zones(distances[row])
    return Preferences(
        distances[peaks],
        bias.amax(dim=1),
        bias.median(dim=1).values,
        distances[torch.tensor(half)],
        bias[:, row].softmax(dim=1) @ zones,
        zones.mean(dim=0),
    )


def _half_weight(bias: Float[Tensor, " distances"], peak: int) -> tuple[int, int]:
    """First and last place of the unbroken stretch around the peak where exp(bias) is at least half of the peak's."""
    below = torch.nonzero(bias < bias[peak] - math.log(2)).flatten()
    before, after = below[below < peak], below[below > peak]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(bias) - 1
    return first, last


def _zones(distances_ms: Float[Tensor, " keys"]) -> Float[Tensor, "keys 5"]:
    """One column for each of ZONES, 1 where a key lies in it."""
    is_far = distances_ms.abs() > FAR_MS
    before, after = distances_ms < 0, distances_ms > 0
    return torch.stack(
        [before & is_far, before & ~is_far, distances_ms == 0, after & ~is_far, after & is_far], dim=1
    ).float()
