"""What noise does to the attention of a clip, and in which layer a clip feels it most."""

import dataclasses
import math

import torch
from jaxtyping import Float
from torch import Tensor

from .keeping import Keeper
from .noise import LINEAR_NAMES, Noise, noised_pass, relative_changes, run_noised
from .operations import count_operations
from .passes import Progress, ignore, part_of
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


def layer_sweep(trace: Trace, noise: Noise, progress: Progress = ignore) -> Float[Tensor, " layers"]:
    """Put the same noise on the weight of that name in each layer, one at a time: how far each moves the output.

    noise.layer does not count. The same seed drops the same blocks in every layer. The latest result is kept.
    progress: called with the share of the work done, 0 to 1; what it raises ends the sweep.

    Raises: ValueError for a weight that not every layer has.
    """
    if noise.weight not in LINEAR_NAMES:
        raise ValueError(f"weight: expected one of {', '.join(LINEAR_NAMES)}; found {noise.weight!r}")
    noise = dataclasses.replace(noise, layer=0)
    return _sweeps.recall(trace, lambda: _sweep(trace, noise, progress), subject=noise)


def known_layer_sweep(trace: Trace, noise: Noise) -> Float[Tensor, " layers"] | None:
    """What `layer_sweep` found, if it was asked for the same noise last."""
    return _sweeps.find(trace, subject=dataclasses.replace(noise, layer=0))


def _sweep(trace: Trace, noise: Noise, progress: Progress) -> Float[Tensor, " layers"]:
    layers, changes = trace.num_layers, []
    total, done = layers * (layers + 1) / 2, 0  # layers to run
    for layer in range(layers):
        within = part_of(progress, done / total, (layers - layer) / total)
        noised = run_noised(trace, dataclasses.replace(noise, layer=layer), within)
        changes.append(relative_changes(trace, noised.trace)[1])
        done += layers - layer
    return torch.tensor(changes)


def sweep_operations(trace: Trace) -> int:
    """How much arithmetic `layer_sweep` is: layer i is followed by all those above it, every time."""
    layers = trace.num_layers * (trace.num_layers + 1) // 2
    return layers * count_operations(trace.model.config, len(trace.audio.samples)).layer
