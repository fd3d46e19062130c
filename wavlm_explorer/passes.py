"""The passes behind a trace: a whole one, from the sound, and one that is taken up where another had come."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .capacity import check_pass_memory
from .devices import exact_convolutions
from .interventions import Plan
from .layer_attention import to_cpu
from .operations import count_operations
from .wavlm import WavLM

NORMALIZATION_EPSILON = 1e-5

Progress = Callable[[float], object]  # called with the share of the work done, 0 to 1


def ignore(_: float) -> None:
    """Tell nobody how far it is."""


def part_of(progress: Progress, start: float, size: float) -> Progress:
    """Report as a share of the whole what is a share of a part of it; start and size of the part, as shares too."""
    return lambda share: progress(start + size * share)


def prepare_samples(model: WavLM, samples: Float[np.ndarray, " samples"], normalize: bool) -> Float[Tensor, " samples"]:
    """What the model hears, on its device; normalize: the waveform at mean 0 and variance 1."""
    waveform = torch.tensor(samples, device=model.device)
    if normalize:
        waveform = (waveform - waveform.mean()) / torch.sqrt(waveform.var(correction=0) + NORMALIZATION_EPSILON)
    return waveform.to(model.mask_emb.dtype)


class Record(NamedTuple):
    """What is kept of a pass, on the CPU, as of a `Trace`."""

    hidden_states: Float[Tensor, "states frames width"]
    output: Float[Tensor, "frames width"]


@torch.no_grad()
@exact_convolutions()
def whole_pass(
    model: WavLM, samples: Float[np.ndarray, " samples"], normalize: bool, plan: Plan, progress: Progress
) -> Record:
    """Run the model over a sound.

    normalize: bring the waveform to mean 0 and variance 1 first.

    Raises: ValueError for a sound shorter than one frame; MemoryError with the size.
    """
    check_pass_memory(model.config, len(samples), model.device)
    config, work = model.config, count_operations(model.config, len(samples))
    source = prepare_samples(model, samples, normalize).unsqueeze(0)
    features = model.extract_frames(source, lambda share: progress(share * work.front_end / work.total))
    frames = plan.hide(model.project(features))
    layers = config.encoder_layers * work.layer / work.total

    def report(share: float) -> None:
        progress(1 - layers + share * layers)

    passed = model.encoder.states(frames, report=report)
    if not plan.is_empty:
        passed = plan.states(next(passed), 0, report)
    return _record(model, _empty_states(model, frames.shape[1]), 0, passed)


@torch.no_grad()
def later_pass(
    model: WavLM,
    num_samples: int,
    known: Float[Tensor, "states frames width"],
    first: int,
    plan: Plan,
    progress: Progress,
) -> Record:
    """Run the layers from one on, over what an earlier pass brought there; the states below are the earlier ones.

    Raises: MemoryError with the size.
    """
    check_pass_memory(model.config, num_samples, model.device)
    states = _empty_states(model, known.shape[1])
    states[:first] = known[:first]
    x = known[first].unsqueeze(1).to(model.device, model.mask_emb.dtype)  # [frames, batch, width]
    return _record(model, states, first, plan.states(x, first, progress))


def _empty_states(model: WavLM, num_frames: int) -> Float[Tensor, "states frames width"]:
    shape = (model.config.encoder_layers + 1, num_frames, model.config.encoder_embed_dim)
    return torch.empty(shape, pin_memory=model.device.type == "cuda")  # pinned: copied while the GPU goes on


def _record(model: WavLM, states: Tensor, first: int, passed: Iterator[Float[Tensor, "frames 1 width"]]) -> Record:
    """Keep state `first` and those behind it as they come, and what the model makes of the last."""
    last = torch.empty(0)
    for index, last in enumerate(passed, first):
        states[index].copy_(last[:, 0], non_blocking=True)
    output = to_cpu(model.encoder.finish(last)[0])  # waits for the GPU, and with it for the states
    return Record(states, output)
