"""Interventions in attention: for some heads of some layers, one of the parts that their maps are made of is changed.

Conventions: head h of a layer computes, for query i and key j,

    A[i, j] = softmax over j of (C[i, j] + g[i] B[j - i]),    o[i] = sum over j of A[i, j] v[j]

with content C = q k' / sqrt(d), gate g and position bias B; the o of all heads, side by side, are projected once more.
"x <- y" puts y in the place of x. layers, heads: one, several, a slice, or None for all.
"""

from dataclasses import KW_ONLY, dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..config import WavLMConfig
from ..indices import Heads, check_count, check_index
from ..layer_attention import AttentionParts

Context = Float[Tensor, "1 heads frames head_dim"]  # the o of every head
Gate = Float[Tensor, "1 heads queries"]
Chosen = Int[Tensor, " chosen"]

LARGEST_GATE = 1000.0  # a model's own is about 2; position must stay a number in half precision too


@dataclass(frozen=True)
class AttentionIntervention:
    """What the interventions in attention have in common: where they act. What they change, each says itself."""

    _: KW_ONLY
    layers: Heads = None
    heads: Heads = None

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        """Refuse what this model and clip have no place for.

        Raises: ValueError, IndexError.
        """

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        """Return the parts as they are to be, but for the gate; those given are left alone."""
        return parts

    def edit_gate(self, gate: Gate, heads: Chosen) -> Gate:
        """Return the gates as they are to be, whatever they were made of; those given are left alone."""
        return gate

    def edit_context(self, context: Context, heads: Chosen) -> Context:
        """Return what the heads hand on as it is to be; what is given is left alone."""
        return context


@dataclass(frozen=True)
class HeadsOff(AttentionIntervention):
    """A head hands on nothing, o[i] <- 0; with `mean`, always its mean over the clip, o[i] <- sum over t of o[t] / T.

    The mean keeps what the head says of every frame alike, and takes away only what it says of one. Its map, which
    nothing reads any more, is shown as it was.
    """

    mean: bool = False

    def edit_context(self, context: Context, heads: Chosen) -> Context:
        if not self.mean:
            return context.index_fill(1, heads, 0)
        means = context.mean(dim=2, keepdim=True).expand_as(context)
        return context.index_copy(1, heads, means[:, heads])


@dataclass(frozen=True)
class GateFixed(AttentionIntervention):
    """Every frame has the same gate, g[i] <- value: at 0 position counts nothing, at 1 as the table holds it."""

    value: float

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        if not abs(self.value) <= LARGEST_GATE:  # nor NaN
            expected = f"expected a number from -{LARGEST_GATE:g} to {LARGEST_GATE:g} for the gate"
            raise ValueError(f"value: {expected}; found {self.value}")
        if not (config.relative_position_embedding and config.gru_rel_pos):
            raise ValueError("GateFixed: expected a model with a gate over relative positions; this one has none.")

    def edit_gate(self, gate: Gate, heads: Chosen) -> Gate:
        return gate.index_fill(1, heads, self.value)


@dataclass(frozen=True)
class PositionOff(AttentionIntervention):
    """The position bias is gone, B[d] <- 0 for every distance d: only content counts."""

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        _check_positions(self, config)

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        assert parts.curve is not None  # checked
        return parts._replace(curve=parts.curve.index_fill(0, heads, 0))


@dataclass(frozen=True)
class PositionFrom(AttentionIntervention):
    """The position bias is another head's, B[d] <- table[source][d], as the model's table holds it; the gate stays."""

    source: int

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        _check_positions(self, config)
        check_index("source head", self.source, config.encoder_attention_heads)

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        assert parts.curve is not None  # checked
        assert parts.table is not None
        copies = parts.table[self.source].expand(len(heads), -1)
        return parts._replace(curve=parts.curve.index_copy(0, heads, copies))


@dataclass(frozen=True)
class ContentOff(AttentionIntervention):
    """Content counts nothing, C[i, j] <- 0: only position decides, and without positions all keys share alike."""

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        return parts._replace(q=parts.q.index_fill(1, heads, 0))


@dataclass(frozen=True)
class AttentionUniform(AttentionIntervention):
    """All keys share alike, A[i, j] <- 1 / T; beside interventions that bar keys, alike among those that are left."""

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        curve = None if parts.curve is None else parts.curve.index_fill(0, heads, 0)
        return parts._replace(q=parts.q.index_fill(1, heads, 0), curve=curve)


@dataclass(frozen=True)
class AttentionWithin(AttentionIntervention):
    """No query looks further than `reach` frames: A[i, j] <- A[i, j] / (sum over |k - i| <= reach of A[i, k]), else 0.

    The logits within the band stay as they are; those beyond are minus infinity.
    """

    reach: int

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        check_count("reach", self.reach)

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        num_heads, num_frames = parts.q.shape[1:3]
        distances = torch.arange(1 - num_frames, num_frames, device=parts.q.device)
        is_far = distances.abs() > min(self.reach, num_frames)
        barred = _barred(parts.barred_distances, heads, is_far.expand(num_heads, -1))
        return parts._replace(barred_distances=barred)


@dataclass(frozen=True)
class AttentionTo(AttentionIntervention):
    """Every query looks at one frame only, A[i, j] <- 1 where j is `frame`, else 0.

    Where another intervention bars that frame, a query has no key left: its row is zeros, and it gathers nothing.
    """

    frame: int

    def check(self, config: WavLMConfig, num_frames: int) -> None:
        check_index("frame", self.frame, num_frames)

    def edit(self, parts: AttentionParts, heads: Chosen) -> AttentionParts:
        num_heads, num_frames = parts.q.shape[1:3]
        frames = torch.arange(num_frames, device=parts.q.device)
        barred = _barred(parts.barred_keys, heads, (frames != self.frame % num_frames).expand(num_heads, -1))
        return parts._replace(barred_keys=barred)


def _check_positions(intervention: AttentionIntervention, config: WavLMConfig) -> None:
    if not config.relative_position_embedding:
        name = type(intervention).__name__
        raise ValueError(f"{name}: expected a model with relative positions; this one has none.")


def _barred(known: Tensor | None, heads: Chosen, more: Tensor) -> Tensor:
    """What is barred of some heads, together with what was barred before."""
    known = torch.zeros_like(more) if known is None else known
    return known.index_copy(0, heads, (known | more)[heads])
