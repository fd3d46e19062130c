"""The gate of the position bias: what it is made of, what it does, and what it would be if it read another vector."""

from collections.abc import Sequence
from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from .indices import check_index
from .layer_attention import to_cpu
from .measures import row_distance
from .modules import GateTerms, MultiheadAttention, gate_terms
from .tracing import Trace

# One formula, where the paper's update gate is 1 - a and its reset gate b; what differs is the vector that it reads.
GATE_SOURCES = {
    "fast path": MultiheadAttention.compute_gate,  # the layer's raw input: what every released model runs
    "slow path": MultiheadAttention.compute_slow_path_gate,  # q / √d
    "paper": MultiheadAttention.compute_paper_gate,  # q
}


def has_gate(trace: Trace) -> bool:
    """Whether the model has relative positions and a gate over them."""
    config = trace.model.config
    return config.relative_position_embedding and config.gru_rel_pos


@torch.no_grad()
def gate_from(trace: Trace, layer: int, source: str, frames: slice = slice(None)) -> Float[Tensor, "heads frames"]:
    """The gate of every head at every frame (or those wanted), fed by one of GATE_SOURCES; ones without a gate.

    A gate that an intervention fixes is fixed whatever feeds it.

    Raises: ValueError for another source; IndexError for a layer that is not there.
    Source: WavLM, arXiv 2110.13900, section IV-A; an author on the difference, github.com/microsoft/UniSpeech issue 25.
    """
    if source not in GATE_SOURCES:
        raise ValueError(f"source: expected one of {', '.join(GATE_SOURCES)}; found {source!r}")
    layer = check_index("layer", layer, trace.num_layers)
    attention, x = _attention_and_input(trace, layer, frames)
    return to_cpu(trace.plan.edit_gate(layer, GATE_SOURCES[source](attention, x.unsqueeze(1)))[0])


class HeadGate(NamedTuple):
    """One head's gate over a clip, with all that a hand needs to compute it again: z = weight x + bias, and so on."""

    inputs: Float[Tensor, "frames head_dim"]  # x, the head's share of what enters the attention
    weight: Float[Tensor, "8 head_dim"]  # of grep_linear, one for all heads of the layer
    bias: Float[Tensor, " 8"]
    scale: Float[Tensor, ""]  # c, the head's entry of grep_a
    terms: GateTerms  # features [frames, 8], sums [frames, 2]; a, b and gate [frames]


@torch.no_grad()
def head_gate(trace: Trace, layer: SupportsIndex, head: SupportsIndex) -> HeadGate:
    """Take one head's gate apart, as the model makes it; an intervention that fixes the gate comes after.

    Raises: IndexError for a layer or head that is not there; ValueError for a model without a gate.
    """
    if not has_gate(trace):
        raise ValueError("Expected a model with a gate over relative positions (gru_rel_pos); this one has none.")
    head = check_index("head", head, trace.num_heads)
    attention, x = _attention_and_input(trace, check_index("layer", layer, trace.num_layers))
    shares, linear = x.unflatten(1, (trace.num_heads, attention.head_dim))[:, head], attention.grep_linear
    scale = attention.grep_a.detach().flatten()[head]
    terms = GateTerms(*map(to_cpu, gate_terms(linear(shares), scale)))
    weight, bias = linear.weight.detach(), linear.bias.detach()
    return HeadGate(to_cpu(shares), to_cpu(weight), to_cpu(bias), to_cpu(scale), terms)


class GatedRows(NamedTuple):
    """One frame's attention as it would be under several gates, everything else as it is, keys that are barred too."""

    gates: Float[Tensor, " gates"]
    position: Float[Tensor, "gates keys"]  # gate x bucket_bias, what is added to the content's logits
    weights: Float[Tensor, "gates keys"]  # rows sum to one
    distance_ms: Float[Tensor, " gates"]  # how far the frame looks on average


@torch.no_grad()
def gated_rows(
    trace: Trace, layer: SupportsIndex, head: SupportsIndex, frame: SupportsIndex, gates: Sequence[float] = (0, 1, 2)
) -> GatedRows:
    """Let one frame look under the gate that it has, which comes first, and under others.

    Raises: IndexError for a layer, head or frame that is not there.
    """
    frame = check_index("frame", frame, trace.num_frames)
    terms = trace.attention_terms(layer, head, slice(frame, frame + 1))
    tried = torch.cat([terms.gate, torch.tensor(gates, dtype=torch.float32)])
    position = tried[:, None] * terms.bucket_bias
    attention = trace.model.encoder.block(check_index("layer", layer, trace.num_layers)).self_attn
    weights = attention.compute_weights(terms.content + position, terms.bars)
    distance = row_distance(weights[:, None], torch.tensor([frame]))[:, 0]
    return GatedRows(tried, position, weights, distance * 1000 * trace.model.config.frame_seconds)


def gates_by_layer(trace: Trace, frame: SupportsIndex, source: str = "fast path") -> Float[Tensor, "layers heads"]:
    """The gates of one frame in every layer, fed as in `gate_from`.

    Raises: ValueError for another source; IndexError for a frame that is not there.
    """
    frame = check_index("frame", frame, trace.num_frames)
    gates = [gate_from(trace, layer, source, slice(frame, frame + 1))[:, 0] for layer in range(trace.num_layers)]
    return torch.stack(gates)


def compounded_gates(trace: Trace, frame: SupportsIndex) -> Float[Tensor, "layers heads"]:
    """What the original's slow path multiplies the table's bias by in each layer: all gates so far, not one.

    That path hands the bias on gated, and the next layer gates it again. The gates are read from the states that the
    model really computes; on states of its own that path would have others.

    Raises: IndexError for a frame that is not there.
    """
    return gates_by_layer(trace, frame, "slow path").cumprod(dim=0)


def _attention_and_input(
    trace: Trace, layer: int, frames: slice = slice(None)
) -> tuple[MultiheadAttention, Float[Tensor, "frames width"]]:
    x = trace.attention_input(layer)[frames].to(trace.model.device, trace.model.mask_emb.dtype)
    return trace.model.encoder.block(layer).self_attn, x
