"""What the weights before and behind GradMultiply would learn from a stretch of sound, under several scales."""

import copy
import dataclasses
from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .audio import SAMPLE_RATE
from .devices import exact_convolutions
from .excerpt import WITHOUT_HEARING, can_hear
from .indices import check_index
from .keeping import Keeper
from .layer_attention import to_cpu
from .passes import prepare_samples
from .tracing import Trace
from .wavlm import WavLM

STRETCH_SECONDS = 0.25  # heard by itself: a backward pass of Base over it takes 0.2 s on one core
ADAM_EPSILON = 1e-8  # PyTorch's default


class FrontEndGradients(NamedTuple):
    """One backward pass through the front end, from J, the mean square of what enters the transformer.

    The weights stand in the order of `learning_weights`; where no gradient arrives there is 0.
    """

    objective: float  # J
    output: Float[Tensor, "frames width"]  # what enters the transformer
    sizes: Float[Tensor, " weights"]  # ||g||, the norm of each weight's gradient
    adam_steps: Float[Tensor, " weights"]  # ||g / (|g| + ε)||, the norm of Adam's first step at a learning rate of 1


def learning_weights(model: WavLM) -> dict[str, nn.Parameter]:
    """The weights from the samples to the transformer, in the order in which sound meets them.

    All but the convolutions' stand behind GradMultiply.
    """
    convolutions = (block[0] for block in model.feature_extractor.conv_layers)  # type: ignore[index]
    weights = {f"conv {index}": conv.weight for index, conv in enumerate(convolutions)}
    weights["norm"] = model.layer_norm.weight
    if model.post_extract_proj is not None:
        weights["projection"] = model.post_extract_proj.weight
    return weights


def front_end_gradients(trace: Trace, frame: SupportsIndex, scale: float) -> FrontEndGradients:
    """Let a copy of the front end hear the sound around a frame, and go back through it once.

    The copy is run by the model's own forward, with `scale` for `feature_grad_mult`; it hears the sound itself, also
    where an intervention hides frames from the transformer. The model is only read. The results of the latest frame
    are kept.

    Raises: ValueError for a model that came with a trace, without its convolutions; IndexError for a frame that is
    not there.
    """
    frame = check_index("frame", frame, trace.num_frames)
    return _passes.recall(trace, lambda: _run(trace, frame, scale), subject=frame, name=scale)


_passes: Keeper[FrontEndGradients] = Keeper()


@exact_convolutions()
def _run(trace: Trace, frame: int, scale: float) -> FrontEndGradients:
    twin = _learning_twin(trace.model, scale)
    weights = [*learning_weights(twin).values()]
    with torch.enable_grad():
        output = twin.project(twin.extract_frames(_stretch(trace, frame).unsqueeze(0)))
        objective = output.square().mean()
        gradients = torch.autograd.grad(objective, weights, allow_unused=True, materialize_grads=True)
    sizes = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
    # Adam's moving averages of g and g², corrected for their start, are g and g² themselves in the first step.
    adam = torch.stack([torch.linalg.vector_norm(g / (g.abs() + ADAM_EPSILON)) for g in gradients])
    return FrontEndGradients(float(objective.detach()), *map(to_cpu, (output[0], sizes, adam)))


def _stretch(trace: Trace, frame: int) -> Float[Tensor, " samples"]:
    """The samples around the middle of what a frame sees, at the clip's loudness."""
    config, length = trace.model.config, int(STRETCH_SECONDS * SAMPLE_RATE)
    samples = prepare_samples(trace.model, trace.audio.samples, trace.normalized)
    length = min(max(length, config.receptive_field_samples), len(samples))
    middle = frame * config.hop_samples + config.receptive_field_samples // 2
    begin = max(0, min(middle - length // 2, len(samples) - length))
    return samples[begin : begin + length]


def _learning_twin(model: WavLM, scale: float) -> WavLM:
    """A second model with a front end of its own, which can learn, and the first one's transformer."""
    if not can_hear(model):
        raise ValueError(WITHOUT_HEARING)
    twin = copy.deepcopy(model, {id(model.encoder): model.encoder})  # what the memo holds is not copied
    twin.config = dataclasses.replace(model.config, feature_grad_mult=scale)
    twin.feature_extractor.train()  # whole, not by chunks, whatever the scale; it has no dropout
    for weight in learning_weights(twin).values():
        weight.requires_grad_(True)
    return twin
