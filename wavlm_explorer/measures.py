"""What an attention map is like, in numbers.

Conventions: weights are [heads, queries, keys], rows sum to one; distances are in frames and times in seconds. Each
measure is made of sums over queries, so a long map can be measured in blocks of rows: `MapSums` adds them up. What is a
mean over queries can also be told from a sample of them, with its standard error: `estimate`.

Source: globalness, verticality and diagonality are those of arXiv 2006.03265, section 3.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

SMALLEST = torch.finfo(torch.float32).tiny  # 0 log 0 is 0
MEASURE_NAMES = ("span_ms", "entropy", "diagonality", "verticality", "globalness", "position_share")


def row_entropy(weights: Float[Tensor, "*heads keys"]) -> Float[Tensor, "*heads"]:
    """Entropy of each row in nats: 0 where one key has it all, ln(keys) where all keys share alike."""
    return -(weights * weights.clamp(min=SMALLEST).log()).sum(dim=-1)


def row_distance(
    weights: Float[Tensor, "heads queries keys"], queries: Int[Tensor, " queries"] | None = None
) -> Float[Tensor, "heads queries"]:
    """Mean |key - query| of each row, in frames; the rows are those of the frames `queries`, or the first ones."""
    num_queries, num_keys = weights.shape[-2:]
    queries = torch.arange(num_queries) if queries is None else queries
    distances = (torch.arange(num_keys) - queries[:, None]).abs().to(weights)
    return (weights * distances).sum(dim=-1)


def attention_span(weights: Float[Tensor, "heads queries keys"], frame_seconds: float) -> Float[Tensor, " heads"]:
    """Mean time, in seconds, between a frame and what it attends to."""
    return row_distance(weights).mean(dim=-1) * frame_seconds


def mean_measures(
    entropy: Float[Tensor, "*rows"], distance: Float[Tensor, "*rows"], num_keys: int, frame_seconds: float
) -> dict[str, Float[Tensor, "*rows"]]:
    """Those of the measures that are means over rows, from entropies in nats and distances in frames."""
    return {
        "span_ms": distance * frame_seconds * 1000,
        "entropy": entropy / math.log(num_keys) if num_keys > 1 else entropy * 0,
        "diagonality": -distance / num_keys,
        "globalness": entropy,
    }


def position_share(
    content_variance: Float[Tensor, "*heads"], position_variance: Float[Tensor, "*heads"]
) -> Float[Tensor, "*heads"]:
    """What part of the logits' variance position has; 0 where nothing varies."""
    total = content_variance + position_variance
    return torch.where(total > 0, position_variance / total.clamp(min=torch.finfo(total.dtype).tiny), 0)


class Estimate(NamedTuple):
    """A measure told from some of the rows."""

    value: Float[Tensor, "*layers heads"]
    standard_error: Float[Tensor, "*layers heads"]  # 0 where it is exact


def estimate(rows: Float[Tensor, "heads sampled"], num_queries: int) -> Estimate:
    """The mean over all queries, told from a random sample of them drawn without repetition."""
    num_sampled = rows.shape[-1]
    left_out = 1 - num_sampled / num_queries  # a sample of them all has no error
    deviation = rows.double().std(dim=-1) if num_sampled > 1 else torch.full(rows.shape[:-1], math.nan)
    error = deviation * math.sqrt(left_out / num_sampled) if left_out else torch.zeros(rows.shape[:-1])
    return Estimate(rows.double().mean(dim=-1).float(), error.float())


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64)


@dataclass
class MapSums:
    """Sums over the rows of one layer's maps seen so far, in float64 on the CPU; `measures` makes numbers of them."""

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
        content_variance: Float[Tensor, "heads queries"],
        position_variance: Float[Tensor, "heads queries"],
    ) -> None:
        """Take in the next rows: the weights, and along each row the variance of the two terms of its logits."""
        queries = torch.arange(self.num_queries, self.num_queries + weights.shape[-2])
        self.entropy = self.entropy + row_entropy(weights).cpu().double().sum(dim=-1)
        self.distance = self.distance + row_distance(weights, queries).cpu().double().sum(dim=-1)
        self.weights = self.weights + weights.sum(dim=-2).cpu().double()
        self.content_variance = self.content_variance + content_variance.double().sum(dim=-1)
        self.position_variance = self.position_variance + position_variance.double().sum(dim=-1)
        self.num_queries = self.num_queries + len(queries)

    def measures(self, frame_seconds: float) -> dict[str, Float[Tensor, " heads"]]:
        """Return one number a head for each of MEASURE_NAMES.

        span_ms         mean time between a frame and what it attends to, in milliseconds
        entropy         globalness / ln(frames): 0 one key, 1 all keys alike
        globalness      mean entropy of a row, in nats
        verticality     minus the entropy of the mean row, in nats: near 0 where all queries attend to the same key
        diagonality     minus the mean distance as a share of the clip: near 0 where frames attend to themselves
        position_share  variance of gate x bias along a row, over that plus the content's; what is constant along a row
                        does not count, for it cannot change the softmax; keys that interventions bar count like others
        """
        entropy, distance = self.entropy / self.num_queries, self.distance / self.num_queries
        numbers = mean_measures(entropy, distance, self.num_keys, frame_seconds) | {
            "verticality": -row_entropy(self.weights / self.num_queries),
            "position_share": position_share(self.content_variance, self.position_variance),
        }
        return {name: numbers[name].float() for name in MEASURE_NAMES}
