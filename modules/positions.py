"""Which row of WavLM's bias table serves which distance between two frames."""

import math

import torch
from jaxtyping import Int
from torch import Tensor


def distance_buckets(
    distances: Int[Tensor, "..."], num_buckets: int, max_distance: int, bidirectional: bool = True
) -> Int[Tensor, "..."]:
    """Give each distance (key index - query index, in frames) its bucket: exact when near, logarithmic when far.

    With n buckets a side and m = n // 2, distance d has bucket d below m frames, and above it

        m + floor((n - m) ln(d / m) / ln(max_distance / m)),   at most n - 1.

    Half the buckets serve keys after the query, half the query itself and keys before it; bidirectional=False gives
    all of them to the past and puts the whole future with distance 0.

    Raises: ValueError unless there are at least 2 buckets a side and max_distance exceeds m.
    Source: WavLM, arXiv 2110.13900, section 3; the rule is T5's, arXiv 1910.10683.
    """
    side = num_buckets // 2 if bidirectional else num_buckets
    num_exact = side // 2
    if num_exact < 1 or max_distance <= num_exact:
        least = 4 if bidirectional else 2
        raise ValueError(
            f"expected num_buckets >= {least} and max_distance > {max(num_exact, 1)} (the exact buckets of one side); "
            f"found num_buckets={num_buckets}, max_distance={max_distance}"
        )
    if bidirectional:
        offset = side * (distances > 0)
        distances = distances.abs()
    else:
        offset = torch.zeros_like(distances)
        distances = (-distances).clamp(min=0)
    growth = torch.log(distances.clamp(min=1).float() / num_exact) / math.log(max_distance / num_exact)
    far = (num_exact + (growth * (side - num_exact)).long()).clamp(max=side - 1)
    return offset + torch.where(distances < num_exact, distances, far)


def relative_position_buckets(
    num_frames: int, num_buckets: int, max_distance: int, bidirectional: bool = True
) -> Int[Tensor, "queries keys"]:
    """Give every query-key pair of a clip its bucket, as WavLM's self-attention does: [num_frames, num_frames].

    bidirectional: False is the rule of a decoder, which sees the past only.

    Raises: ValueError and Source as `distance_buckets`.
    """
    frames = torch.arange(num_frames)
    return distance_buckets(frames[None, :] - frames[:, None], num_buckets, max_distance, bidirectional)
