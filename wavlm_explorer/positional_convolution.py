"""The convolution that tells frames their neighbourhood before layer 0: what it adds, and what a wrong cut would."""

from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .devices import exact_convolutions
from .encoder import WeightNormConv1d
from .excerpt import WITHOUT_HEARING, can_hear
from .keeping import Keeper
from .layer_attention import to_cpu
from .passes import prepare_samples
from .tracing import Trace


class PositionalPass(NamedTuple):
    """What the positional convolution does to each frame of a clip, cut where it should be and where it should not."""

    num_outputs: int  # of the convolution: an even kernel makes one more than there are frames
    input_size: Float[Tensor, " frames"]  # root mean square of what enters the transformer
    added_size: Float[Tensor, " frames"]  # of what is added to it: the surplus cut from the end (SamePad), then GELU
    change_of_added: Float[Tensor, " frames"]  # with the surplus cut from the beginning: ||new - old|| / ||old||
    change_of_entering: Float[Tensor, " frames"]  # the same of layer 0's input


class Kernel(NamedTuple):
    """How much of the convolution's kernel lies at each distance from the frame that it is computed for."""

    distances: Int[Tensor, " taps"]  # frames, negative for inputs before the frame
    energy: Float[Tensor, " taps"]  # shares of the sum of all squared weights


@torch.no_grad()
def positional_kernel(trace: Trace) -> Kernel:
    """Read the kernel's energy tap by tap.

    The kernel is stored as a direction and one length a tap: the length squared is the tap's energy.

    Raises: ValueError for a model that came with a trace, without its convolutions.
    """
    if not can_hear(trace.model):
        raise ValueError(WITHOUT_HEARING)
    conv = cast(WeightNormConv1d, trace.model.encoder.pos_conv[0])
    energy = to_cpu(conv.weight_g.flatten()).square()
    return Kernel(torch.arange(len(energy)) - conv.padding, energy / energy.sum())


def share_beyond_clip(kernel: Kernel, num_frames: int) -> Float[Tensor, " frames"]:
    """The share of the kernel's energy that meets nothing but padding, for each frame of a clip."""
    places = torch.arange(num_frames)[:, None] + kernel.distances  # [frames, taps]
    return ((places < 0) | (places >= num_frames)).float() @ kernel.energy


def positional_pass(trace: Trace) -> PositionalPass:
    """Run the front end and the positional convolution over the trace's clip again; the result is kept.

    Frames that interventions hide are hidden here too.

    Raises: ValueError for a model that came with a trace, without its convolutions.
    """
    return _passes.recall(trace, lambda: _run(trace))


_passes: Keeper[PositionalPass] = Keeper()


@torch.no_grad()
@exact_convolutions()
def _run(trace: Trace) -> PositionalPass:
    model, encoder = trace.model, trace.model.encoder
    source = prepare_samples(model, trace.audio.samples, trace.normalized).unsqueeze(0)
    x = trace.plan.hide(model.project(model.extract_frames(source)))  # [1, frames, width]
    conv, same_pad, gelu = encoder.pos_conv
    convolved = conv(x.transpose(1, 2))  # [1, width, outputs]
    surplus = convolved.shape[-1] - x.shape[1]
    added, misplaced = (gelu(kept).transpose(1, 2) for kept in (same_pad(convolved), convolved[:, :, surplus:]))
    entering, entering_misplaced = (
        x + positions if encoder.layer_norm_first else encoder.layer_norm(x + positions)
        for positions in (added, misplaced)
    )  # [1, frames, width]
    numbers = _size(x), _size(added), _change(misplaced, added), _change(entering_misplaced, entering)
    return PositionalPass(convolved.shape[-1], *(to_cpu(number[0]) for number in numbers))


def _size(x: Float[Tensor, "1 frames width"]) -> Float[Tensor, "1 frames"]:
    return x.square().mean(dim=-1).sqrt()


def _change(new: Float[Tensor, "1 frames width"], old: Float[Tensor, "1 frames width"]) -> Float[Tensor, "1 frames"]:
    return torch.linalg.vector_norm(new - old, dim=-1) / torch.linalg.vector_norm(old, dim=-1).clamp(min=1e-12)
