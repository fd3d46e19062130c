"""What a frame hears: how strongly the convolutions' answer at one frame depends on each sample of the sound."""

from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from .excerpt import can_hear
from .indices import check_index
from .passes import prepare_samples
from .tracing import Trace

NEIGHBOURS = 1  # frames on either side that are heard along
NUM_DIRECTIONS = 8  # enough that no sample is missed by chance


class Sensitivity(NamedTuple):
    """Of a frame, over the samples around it."""

    shares: Float[Tensor, " samples"]  # of the whole answer; they sum to one
    begin: int  # which sample of the clip is the first


def sensitivity(trace: Trace, frame: SupportsIndex) -> Sensitivity:
    """Let the convolutions hear the sound around one frame, and ask how much each sample moves what they say there.

    It is |d (r . f) / d sample|, the mean over a few random directions r of the frame's numbers f, as a share of its
    sum. A norm over the whole clip, as in WavLM Base, is held as it is.

    Raises: IndexError for a frame that is not there; ValueError for a model without its convolutions.
    """
    if not can_hear(trace.model):
        raise ValueError("Expected a whole WavLM; this trace came from a file, without the convolutions that hear.")
    config, frame = trace.model.config, check_index("frame", frame, trace.num_frames)
    first, last = max(0, frame - NEIGHBOURS), min(trace.num_frames - 1, frame + NEIGHBOURS)
    begin, end = first * config.hop_samples, last * config.hop_samples + config.receptive_field_samples
    clip = prepare_samples(trace.model, trace.audio.samples, trace.normalized)
    with torch.no_grad():
        blocks = trace.model.feature_extractor.blocks_for(clip)
    generator = torch.Generator().manual_seed(0)
    with torch.enable_grad():
        samples = clip[begin:end].clone().requires_grad_()
        heard = samples[None]  # [1, samples], then [channels, time]
        for block in blocks:
            heard = block(heard)
        directions = torch.randn(NUM_DIRECTIONS, len(heard), generator=generator).to(heard)
        answers = directions @ heard[:, frame - first]
        slopes = [torch.autograd.grad(answer, samples, retain_graph=True)[0].abs() for answer in answers]
    total = torch.stack(slopes).sum(dim=0).to("cpu", torch.float32)
    return Sensitivity(total / total.sum().clamp(min=torch.finfo(torch.float32).tiny), begin)
