"""What an attention map is like, in numbers.

Conventions: weights are [heads, queries, keys], rows sum to one; distances are in frames and times in seconds. Each
measure is made of sums over queries, so a long map can be measured in blocks of rows: `MapSums` adds them up.

Source: globalness, verticality and diagonality are those of arXiv 2006.03265, section 3.
"""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

MEASURE_NAMES = ("span_ms", "entropy", "diagonality", "verticality", "globalness", "position_share")


def row_entropy(weights: Float[Tensor, "*heads keys"]) -> Float[Tensor, "*heads"]:
    """Entropy of each row in nats: 0 where one key has it all, ln(keys) where all keys share alike."""
    return torch.special.entr(weights).sum(dim=-1)


def row_distance(weights: Float[Tensor, "heads queries keys"], first_query: int = 0) -> Float[Tensor, "heads queries"]:
    """Mean |key - query| of each row, in frames; the first row is that of frame `first_query`."""
    num_queries, num_keys = weights.shape[-2:]
    queries = torch.arange(first_query, first_query + num_queries, device=weights.device)
    distances = (torch.arange(num_keys, device=weights.device) - queries[:, None]).abs()
    return (weights * distances).sum(dim=-1)


def attention_span(weights: Float[Tensor, "heads queries keys"], frame_seconds: float) -> Float[Tensor, " heads"]:
    """Mean time, in seconds, between a frame and what it attends to."""
    return row_distance(weights).mean(dim=-1) * frame_seconds


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64)


@dataclass
class MapSums:
    """Sums over the rows of one layer's maps seen so far, in float64; `measures` makes the numbers of them."""

    num_keys: int
    num_queries: int = 0
    entropy: Tensor = field(default_factory=_zero)  # [heads]
    distance: Tensor = field(default_factory=_zero)  # [heads]
    weights: Tensor = field(default_factory=_zero)  # [heads, keys]
    content_variance: Tensor = field(default_factory=_zero)  # [heads]
    position_variance: Tensor = field(default_factory=_zero)  # [heads]

    def add(
        self,
        weights: Float[Tensor, "heads queries keys"],
        content: Float[Tensor, "heads queries keys"],
        position: Float[Tensor, "heads queries keys"],
    ) -> None:
        """Take in the next rows: the weights, and the two terms of their logits."""
        self.entropy = self.entropy + row_entropy(weights).double().sum(dim=-1)
        self.distance = self.distance + row_distance(weights, self.num_queries).double().sum(dim=-1)
        self.weights = self.weights + weights.double().sum(dim=-2)
        self.content_variance = self.content_variance + content.var(dim=-1, correction=0).double().sum(dim=-1)
        self.position_variance = self.position_variance + position.var(dim=-1, correction=0).double().sum(dim=-1)
        self.num_queries = self.num_queries + weights.shape[-2]

    def measures(self, frame_seconds: float) -> dict[str, Float[Tensor, " heads"]]:
        """Return one number a head for each of MEASURE_NAMES.

        span_ms         mean time between a frame and what it attends to, in milliseconds
        entropy         globalness / ln(frames): 0 one key, 1 all keys alike
        globalness      mean entropy of a row, in nats
        verticality     minus the entropy of the mean row, in nats: near 0 where all queries attend to the same key
        diagonality     minus the mean distance as a share of the clip: near 0 where frames attend to themselves
        position_share  variance of gate x bias along a row, over that plus the content's; what is constant along a row
                        does not count, for it cannot change the softmax
        """
        globalness = self.entropy / self.num_queries
        distance = self.distance / self.num_queries
        total = self.content_variance + self.position_variance
        share = torch.where(total > 0, self.position_variance / total.clamp(min=torch.finfo(total.dtype).tiny), 0)
        numbers = {
            "span_ms": distance * frame_seconds * 1000,
            "entropy": globalness / math.log(self.num_keys) if self.num_keys > 1 else globalness * 0,
            "diagonality": -distance / self.num_keys,
            "verticality": -row_entropy(self.weights / self.num_queries),
            "globalness": globalness,
            "position_share": share,
        }
        return {name: numbers[name].float() for name in MEASURE_NAMES}
