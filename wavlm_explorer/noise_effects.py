"""What noise does to the attention of a clip, and in which layer a clip feels it most."""

import dataclasses
import math

import torch
from jaxtyping import Float
from torch import Tensor

from .keeping import Keeper
from .noise import LINEAR_NAMES, Noise, noised_pass, relative_changes, run_noised
from .operations import count_operations
from .tracing import Trace

SAMPLED_FRAMES = 128  # whose attention stands for that of all in a layer's mean


def sampling_step(trace: Trace) -> int:
    """`attention_moved` looks at one frame in so many."""
    return math.ceil(trace.num_frames / SAMPLED_FRAMES)


_moved: Keeper[Tensor] = Keeper()
_sweeps: Keeper[Tensor] = Keeper()


def attention_moved(trace: Trace, noise: Noise) -> Float[Tensor, "layers heads"]:
    """The share of a frame's attention that noise moves elsewhere, as in `attention_change`, of every head.

    The mean is over all frames of a clip of at most 128, and over every second, third, ... of a longer one.
    The latest result is kept.
    """
    return _moved.recall(trace, lambda: _compare(trace, noise), subject=noise)


def _compare(trace: Trace, noise: Noise) -> Float[Tensor, "layers heads"]:
    noised = noised_pass(trace, noise).trace
    queries = slice(None, None, sampling_step(trace))
    moved = torch.zeros(trace.num_layers, trace.num_heads)
    for layer in range(noise.layer, trace.num_layers):
        difference = noised.attention(layer, queries=queries) - trace.attention(layer, queries=queries)
        moved[layer] = difference.abs().sum(dim=-1).mean(dim=-1) / 2
    return moved


def layer_sweep(trace: Trace, noise: Noise) -> Float[Tensor, " layers"]:
    """Put the same noise on the weight of that name in each layer, one at a time: how far each moves the output.

    noise.layer does not count; 0 lets the result be found again. The same seed drops the same blocks in every layer.

    Raises: ValueError for a weight that not every layer has.
    """
    if noise.weight not in LINEAR_NAMES:
        raise ValueError(f"weight: expected one of {', '.join(LINEAR_NAMES)}; found {noise.weight!r}")
    return _sweeps.recall(trace, lambda: _sweep(trace, noise), subject=noise)


def _sweep(trace: Trace, noise: Noise) -> Float[Tensor, " layers"]:
    changes = []
    for layer in range(trace.num_layers):
        noised = run_noised(trace, dataclasses.replace(noise, layer=layer))
        changes.append(relative_changes(trace, noised.trace)[1])
    return torch.tensor(changes)


def sweep_operations(trace: Trace) -> int:
    """How much arithmetic `layer_sweep` is: layer i is followed by all those above it, every time."""
    layers = trace.num_layers * (trace.num_layers + 1) // 2
    return layers * count_operations(trace.model.config, len(trace.audio.samples)).layer
