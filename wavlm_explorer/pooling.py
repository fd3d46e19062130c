"""Attention from label to label: which sounds look at which, instead of which frames at which.

With weights W [queries, keys], and frames that belong to the label in which their middle lies:
share[a, b] = sum of W over the frames of a and b / frames of a, whose rows sum to one, and
mean[a, b] = share[a, b] / frames of b, the mean weight of a pair of frames.
"""

from typing import Literal, NamedTuple, SupportsIndex

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .labels import LabelTrack
from .tracing import Heads, Trace

NO_LABEL = "∅"  # silences, and frames outside all intervals
BLOCK_ROWS = 256  # queries whose weights are held at once
MAX_LABELS = 2000

Grouping = Literal["text", "occurrence"]


class LabelAttention(NamedTuple):
    """Attention between the labels of a track, in each head; labels are in order of their first frame."""

    labels: tuple[str, ...]
    frames: Int[Tensor, " labels"]  # how many each label has
    share: Float[Tensor, "heads labels labels"]  # of a label's attention that each label gets; rows sum to one
    mean: Float[Tensor, "heads labels labels"]  # mean weight of a frame of one on a frame of the other


def pool_attention(
    trace: Trace, track: LabelTrack, layer: SupportsIndex, heads: Heads = None, by: Grouping = "text"
) -> LabelAttention:
    """Pool a layer's attention from query label (rows) to key label (columns).

    Computed in blocks of queries: a long clip needs the memory of a few hundred rows. Where intervals overlap, a frame
    belongs to the one that starts last; all frames without a label count as one label, NO_LABEL.

    by: "text" pools all intervals that say the same, "occurrence" keeps each by itself.

    Raises: IndexError for a layer or head that is not there; ValueError for a track that labels no frame of this clip,
    or gives it more than MAX_LABELS labels.
    """
    labels, owners = label_frames(trace, track, by)
    frames = owners.bincount()
    sums = torch.zeros(())
    for first in range(0, trace.num_frames, BLOCK_ROWS):
        rows = slice(first, first + BLOCK_ROWS)
        weights = trace.attention(layer, heads, queries=rows)
        received = weights.new_zeros(*weights.shape[:2], len(labels)).index_add_(2, owners, weights)
        block = torch.zeros(len(weights), len(labels), len(labels), dtype=torch.double)
        sums = sums + block.index_add_(1, owners[rows], received.double())  # [heads, labels, labels]
    share = sums / frames[:, None]
    return LabelAttention(labels, frames, share.float(), (share / frames).float())


def label_frames(
    trace: Trace, track: LabelTrack, by: Grouping = "text"
) -> tuple[tuple[str, ...], Int[Tensor, " frames"]]:
    """Return the labels that have frames, and for each frame the index of its label.

    Raises: ValueError, as `pool_attention`.
    """
    if by not in ("text", "occurrence"):
        raise ValueError(f"by: expected 'text' or 'occurrence', found {by!r}")
    names = [(NO_LABEL, 0)] * trace.num_frames
    times = trace.frame_times.double()
    for index, (start, end, text) in enumerate(track.intervals, 1):
        if text:
            first, last = torch.searchsorted(times, torch.tensor([start, end], dtype=torch.double)).tolist()
            names[first:last] = [(text, index if by == "occurrence" else 0)] * (last - first)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    if numbers.keys() == {(NO_LABEL, 0)}:
        raise ValueError(f"track {track.name!r}: expected an interval with text in this clip, found none")
    if len(numbers) > MAX_LABELS:
        raise ValueError(f"track {track.name!r}: expected at most {MAX_LABELS} labels, found {len(numbers)}")
    return tuple(text for text, _ in numbers), torch.tensor([numbers[name] for name in names])
