"""Gated linear units on a clip: what each of the five gates lets through, and how often each channel is closed."""

from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .demonstration import demonstration_terms
from .modules import GLU_Linear, GLUTerms
from .modules.glu import GLU_ACTIVATIONS
from .tracing import Trace

CLOSED = 0.1  # a gate nearer to zero lets less than a tenth through


class GateShares(NamedTuple):
    """Which share of some gates does what; the three add up to one."""

    closed: Float[Tensor, "..."]  # |gate| < CLOSED
    open: Float[Tensor, "..."]  # gate >= CLOSED: the value keeps its sign
    turned: Float[Tensor, "..."]  # gate <= -CLOSED: the value changes its sign


class ChannelRanking(NamedTuple):
    """The channels of a unit, the most often closed first."""

    order: Int[Tensor, " ranks"]  # rank -> channel
    shares: GateShares  # of the frames, each [ranks]


def own_glu_type(trace: Trace) -> str | None:
    """The gate that the model's feed-forward was trained with; None for a model without GLU."""
    fc1 = trace.model.encoder.block(0).fc1
    return fc1.glu_type if isinstance(fc1, GLU_Linear) else None


def unit_terms(trace: Trace, layer: SupportsIndex, glu_type: str) -> GLUTerms:
    """One layer's unit, with its own gate or another; for a model without GLU, the demonstration: [frames, channels].

    Raises: KeyError for an unknown type; IndexError for a layer that is not there.
    """
    own = own_glu_type(trace)
    if own is None:
        return demonstration_terms(trace, int(layer), glu_type)
    terms = trace.glu(layer)
    return terms if glu_type == own else under_gate(terms, glu_type)


def under_gate(terms: GLUTerms, glu_type: str) -> GLUTerms:
    """The same value and the same gate input, under another gate.

    Raises: KeyError for an unknown type.
    """
    gate = GLU_ACTIVATIONS[glu_type]()(terms.gate_input)
    return GLUTerms(terms.value, terms.gate_input, gate, terms.value * gate)


def gate_kinds(gate: Float[Tensor, "*axes"]) -> tuple[Tensor, Tensor, Tensor]:
    """Which gates are closed, which open, and which turn the sign: three masks, in the order of GateShares."""
    return gate.abs() < CLOSED, gate >= CLOSED, gate <= -CLOSED


def gate_shares(gate: Float[Tensor, "frames channels"], dim: int | None = None) -> GateShares:
    """Count the kinds of all gates, of each channel over its frames (dim 0), or of each frame over its channels (1)."""
    return GateShares(*(kind.float().mean(dim=dim) for kind in gate_kinds(gate)))


def region_shares(terms: GLUTerms) -> Float[Tensor, "3 2"]:
    """How often each kind of gate (down, in the order of GateShares) meets a value below zero, and one that is not."""
    negative = terms.value < 0
    return torch.stack([
        torch.stack([(kind & sign).float().mean() for sign in (negative, ~negative)]) for kind in gate_kinds(terms.gate)
    ])  # fmt: skip


def passed_ratio(terms: GLUTerms) -> float:
    """How large the outputs are beside the values, by their root mean squares; 0 where all values are 0."""
    output, value = (float(term.square().mean().sqrt()) for term in (terms.output, terms.value))
    return output / value if value > 0 else 0.0


def rank_channels(terms: GLUTerms) -> ChannelRanking:
    """Order channels by the share of frames in which their gate is closed; of equals, the smaller mean |gate| first."""
    shares = gate_shares(terms.gate, dim=0)
    by_size = terms.gate.abs().mean(dim=0).argsort(stable=True)
    order = by_size[shares.closed[by_size].argsort(descending=True, stable=True)]
    return ChannelRanking(order, GateShares(*(share[order] for share in shares)))
