"""The gate of the position bias, and what it would be if it read another vector."""

import torch
from jaxtyping import Float
from torch import Tensor

from .modules import MultiheadAttention
from .tracing import Trace

# One formula, where the paper's update gate is 1 - a and its reset gate b; what differs is the vector that it reads.
GATE_SOURCES = {
    "fast path": MultiheadAttention.compute_gate,  # the layer's raw input: what every released model runs
    "slow path": MultiheadAttention.compute_slow_path_gate,  # q / √d
    "paper": MultiheadAttention.compute_paper_gate,  # q
}


@torch.no_grad()
def gate_from(trace: Trace, layer: int, source: str) -> Float[Tensor, "heads frames"]:
    """The gate of every head at every frame, fed by one of GATE_SOURCES; ones for a model without a gate.

    Raises: ValueError for another source; IndexError for a layer that is not there.
    Source: WavLM, arXiv 2110.13900, section IV-A; an author on the difference, github.com/microsoft/UniSpeech issue 25.
    """
    if source not in GATE_SOURCES:
        raise ValueError(f"source: expected one of {', '.join(GATE_SOURCES)}; found {source!r}")
    model = trace.model
    x = trace.attention_input(layer).unsqueeze(1).to(model.device, model.mask_emb.dtype)  # [frames, batch, width]
    attention = model.encoder.block(layer % trace.num_layers).self_attn
    return GATE_SOURCES[source](attention, x)[0].to("cpu", torch.float32)
