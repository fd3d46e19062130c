"""What noise does to the attention of a clip, and in which layer a clip feels it most."""

import dataclasses
import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .noise import LINEAR_NAMES, Latest, Noise, noised_pass, relative_changes, run_noised
from .operations import count_operations
from .pooling import max_pool, pool_highest, pooling_factor
from .tracing import Trace

BLOCK_ENTRIES = 1 << 22  # of a map, held at once: 16 MiB
SAMPLED_FRAMES = 128  # whose attention stands for that of all in a layer's mean


class AttentionChange(NamedTuple):
    """One head's attention without noise and with it; the maps' cells hold the extreme of what they cover."""

    layer: int
    head: int
    before: Float[Tensor, "query_cells key_cells"]
    after: Float[Tensor, "query_cells key_cells"]
    difference: Float[Tensor, "query_cells key_cells"]  # after - before, pooled last
    moved: float  # the share of a frame's attention that goes elsewhere, mean over the frames
    largest: float  # change of a weight


def attention_change(clean: Trace, noised: Trace, layer: int, head: int, cells: int) -> AttentionChange:
    """Compare one head's attention in maps of at most cells x cells, whatever the clip's length.

    moved = mean over frames i of sum over j of |after[i, j] - before[i, j]| / 2: 0 for alike, 1 for disjoint.

    Raises: IndexError for a layer or head that is not there.
    """
    factor = pooling_factor(clean.num_frames, cells)
    num_rows = factor * max(1, BLOCK_ENTRIES // (factor * clean.num_frames))
    maps, moved, largest = [], 0.0, 0.0
    for first in range(0, clean.num_frames, num_rows):
        rows = slice(first, first + num_rows)
        before, after = (one.attention(layer, head, rows)[0] for one in (clean, noised))
        difference = after - before
        moved += float(difference.abs().sum()) / 2
        largest = max(largest, float(difference.abs().max()))
        pooled = (pool_highest(before, factor), pool_highest(after, factor), max_pool(difference, factor))
        maps.append(torch.stack(pooled))
    before, after, difference = torch.cat(maps, dim=1)
    return AttentionChange(layer, head, before, after, difference, moved / clean.num_frames, largest)


def sampling_step(trace: Trace) -> int:
    """`attention_moved` looks at one frame in so many."""
    return math.ceil(trace.num_frames / SAMPLED_FRAMES)


@Latest
def attention_moved(trace: Trace, noise: Noise) -> Float[Tensor, "layers heads"]:
    """The share of a frame's attention that noise moves elsewhere, as in `attention_change`, of every head.

    The mean is over all frames of a clip of at most 128, and over every second, third, ... of a longer one.
    """
    noised = noised_pass(trace, noise).trace
    queries = slice(None, None, sampling_step(trace))
    moved = torch.zeros(trace.num_layers, trace.num_heads)
    for layer in range(noise.layer, trace.num_layers):
        difference = noised.attention(layer, queries=queries) - trace.attention(layer, queries=queries)
        moved[layer] = difference.abs().sum(dim=-1).mean(dim=-1) / 2
    return moved


@Latest
def layer_sweep(trace: Trace, noise: Noise) -> Float[Tensor, " layers"]:
    """Put the same noise on the weight of that name in each layer, one at a time: how far each moves the output.

    noise.layer does not count; 0 lets the result be found again. The same seed drops the same blocks in every layer.

    Raises: ValueError for a weight that not every layer has.
    """
    if noise.weight not in LINEAR_NAMES:
        raise ValueError(f"weight: expected one of {', '.join(LINEAR_NAMES)}; found {noise.weight!r}")
    changes = []
    for layer in range(trace.num_layers):
        noised = run_noised(trace, dataclasses.replace(noise, layer=layer))
        changes.append(relative_changes(trace, noised.trace)[1])
    return torch.tensor(changes)


def sweep_operations(trace: Trace) -> int:
    """How much arithmetic `layer_sweep` is: layer i is followed by all those above it, every time."""
    layers = trace.num_layers * (trace.num_layers + 1) // 2
    return layers * count_operations(trace.model.config, len(trace.audio.samples)).layer
