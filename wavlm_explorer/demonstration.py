"""What stands in for a part that a checkpoint does not have, on the input that this part would receive."""

import math

import torch

from .modules import GLU_Linear, GLUTerms
from .tracing import Trace

NUM_CHANNELS = 64


def demonstration_glu(width: int, glu_type: str) -> GLU_Linear:
    """Make a small gated linear unit of random weights, always the same: width -> 64 channels, N(0, 1 / width)."""
    with torch.device("meta"):  # no draw of the global generator, which belongs to others
        unit = GLU_Linear(width, NUM_CHANNELS, glu_type, bias_in_glu=False)
    unit = unit.to_empty(device="cpu").eval().requires_grad_(False)
    unit.linear.weight.normal_(std=1 / math.sqrt(width), generator=torch.Generator().manual_seed(0))
    return unit


@torch.no_grad()
def demonstration_terms(trace: Trace, layer: int, glu_type: str) -> GLUTerms:
    """Run the demonstration unit on what one layer's feed-forward really receives: four times [frames, 64]."""
    inputs = trace.feed_forward_input(layer)
    return demonstration_glu(inputs.shape[-1], glu_type).terms(inputs)
