"""Family: layers against each other. In which order do the layers stand, and the norms in them?"""

from collections.abc import Iterator
from itertools import combinations
from statistics import median

import torch
from torch import Tensor

from .check import Check, Problem, check
from .statistics import correlation, log_norms
from .subject import NORMS, Subject

FEWEST_LAYERS = 5
GAIN = 0.1  # of correlation by one exchange; 0 in healthy models here, 0.11 to 1.3 where two layers were exchanged
AGREEMENT = 0.75  # share of the traits that must gain


@check("warning", "trained")
def norm_order(subject: Subject) -> Iterator[Problem]:
    """The config puts the layer norms where the weights have them: before the attention or after it.

    Shapes cannot tell. In a pre-norm layer a norm's weights scale the columns of the matrix behind them and nothing
    else, so that training keeps the two balanced, and their sizes go together; in a post-norm layer they do not.
    """
    if subject.checkpoint.config is None:
        return
    first = _norms_and_columns(subject, shift=0)
    after = _norms_and_columns(subject, shift=1)
    if min(len(first), len(after)) < 4:
        return
    typical, other = median(first), median(after)
    says_first = subject.config.layer_norm_first
    if (not says_first and typical > 0.45 and typical > other + 0.3) or (says_first and typical < -0.15):
        order = ("before", "after") if says_first else ("after", "before")
        yield Problem(
            "layer_norm_first",
            f"{says_first}: norms {order[0]} attention and feed-forward. The weights look trained with norms "
            f"{order[1]} them: norms and the columns that they would scale correlate by {typical:.2f}.",
            f"Override layer_norm_first={not says_first} and compare the pictures of the layers.",
        )


def _norms_and_columns(subject: Subject, shift: int) -> list[float]:
    """Correlate each norm's weights with the lengths of the columns behind it.

    shift 0: what stands behind it in a pre-norm layer; 1: in a post-norm one, the next half-layer.
    """
    weights, readers = [], []
    for layer in range(subject.num_layers):
        projections = [subject.of_layer(layer, f"self_attn.{name}_proj.weight") for name in "qkv"]
        known = [part for part in projections if part is not None]
        hidden = subject.feed_forward(layer)
        weights += [subject.of_layer(layer, f"{norm}.weight") for norm in NORMS]
        readers += [torch.cat(known) if len(known) == 3 else None, None if hidden is None else hidden[0]]
    return [
        correlation(weight.abs().clamp(min=1e-6).log(), log_norms(matrix, dim=0))
        for weight, matrix in zip(weights, readers[shift:], strict=False)
        if weight is not None and matrix is not None and len(weight) == matrix.shape[1]
    ]


@check("warning", "trained")
def layer_order(subject: Subject) -> Iterator[Problem]:
    """The layers stand in the order in which they were trained: the nearer, the more alike.

    All layers read and write the same channels, and what they make of them changes little from one to the next: norms,
    biases and the sizes of rows correlate less the further two layers are apart. Read backwards, an order is as good,
    and so is an exchange of two layers at one end.
    """
    traits = _traits(subject) if subject.num_layers >= FEWEST_LAYERS else []
    if len(traits) < 4:
        return
    likeness = torch.stack([trait.corrcoef().nan_to_num() for trait in traits])  # [traits, layers, layers]
    found = _best_exchange(likeness)
    if found is not None:
        first, second = found
        yield Problem(
            f"layers {first} and {second}",
            "The layers are not in the order in which they were trained: with these two exchanged, likeness (of norms, "
            "biases, lengths of rows) goes with nearness as in any trained model.",
            "Were names sorted as text (1, 10, 11, 2), or layers counted otherwise? Convert the file again.",
        )


def _traits(subject: Subject) -> list[Tensor]:
    """What the layers have in every channel that they share, each [layers, channels]."""
    traits = []
    for role in (*(f"{norm}.{kind}" for norm in NORMS for kind in ("weight", "bias")), "fc2.bias",
                 "self_attn.out_proj.bias", "self_attn.out_proj.weight", "fc2.weight"):  # fmt: skip
        layers = [subject.of_layer(layer, role) for layer in range(subject.num_layers)]
        known = [log_norms(layer, dim=1) if layer.ndim > 1 else layer for layer in layers if layer is not None]
        if len(known) == subject.num_layers:
            traits.append(torch.stack(known))
    return traits


def _best_exchange(likeness: Tensor) -> tuple[int, int] | None:
    """Find the two layers whose exchange makes likeness go best with nearness, as most traits tell."""
    order = list(range(likeness.shape[-1]))
    found, gain = None, GAIN
    for first, second in combinations(order, 2):
        other = order.copy()
        other[first], other[second] = second, first
        gains = _orderliness(likeness, other) - _orderliness(likeness, order)
        if float((gains > 0).float().mean()) >= AGREEMENT and float(gains.mean()) > gain:
            found, gain = (first, second), float(gains.mean())
    return found


def _orderliness(likeness: Tensor, order: list[int]) -> Tensor:
    """Correlate, for each trait, how alike two layers are with how near they stand [traits].

    Beyond what a layer has with all others: one that is unlike all of them could stand anywhere.
    """
    places = torch.arange(len(order), dtype=torch.float32)
    nearness = _centred(-(places[:, None] - places).abs())
    likeness = _centred(likeness[:, order][:, :, order])
    scale = torch.linalg.matrix_norm(likeness) * torch.linalg.matrix_norm(nearness)
    return (likeness * nearness).sum(dim=(-2, -1)) / scale.clamp(min=1e-9)


def _centred(pairs: Tensor) -> Tensor:
    """Take from each pair of layers what the two have in the mean over their pairs; the diagonal becomes 0."""
    num_layers = pairs.shape[-1]
    apart = 1 - torch.eye(num_layers)
    sums = (pairs * apart).sum(dim=-1)  # [..., layers]
    means = (sums - sums.sum(dim=-1, keepdim=True) / (2 * (num_layers - 1))) / (num_layers - 2)
    return (pairs - means[..., :, None] - means[..., None, :]) * apart


CHECKS: tuple[Check, ...] = (norm_order, layer_order)
