"""The gate of the position bias, and what it would be if it read another vector."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .modules import MultiheadAttention
from .tracing import Trace


class GateSource(NamedTuple):
    """A vector that may feed the gate: in words, and the method that makes the gate of it."""

    reads: str
    compute: Callable[[MultiheadAttention, Tensor], Tensor]


# The formula is always the same; the paper's update gate is 1 - a, its reset gate b.
GATE_SOURCES = {
    "fast path": GateSource("the layer's raw input, as every released model runs it", MultiheadAttention.compute_gate),
    "slow path": GateSource(
        "q / √d, in a branch of the original that no ordinary call takes", MultiheadAttention.compute_slow_path_gate
    ),
    "paper": GateSource("q, the projected query, as the paper writes it", MultiheadAttention.compute_paper_gate),
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
    return GATE_SOURCES[source].compute(attention, x)[0].to("cpu", torch.float32)
