"""Family: positions. The convolution before the layers, and the table of biases in them.

The table's rows are distances, its columns heads; all layers use it.

A trained table is smooth over distance, has learned most about the nearest neighbours, and has one row that no distance
leads to (the middle one), which therefore stays as it was drawn.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from .check import Check, Problem, check, listing
from .statistics import correlation
from .subject import TABLE, Subject, cosines

ROUGH = 0.7  # von Neumann's ratio: 1 for rows in random order, 0.1 to 0.4 for trained tables
LEARNED = 0.3  # standard deviation of a column that has learned; fresh ones have 0.02 to 0.17
LARGEST_SPREAD = 100.0  # exp(100) to 1: far beyond what decides a softmax


def by_distance(table: Tensor) -> Tensor:
    """Order the rows from the furthest past to the furthest future, without the unused middle row."""
    half = len(table) // 2
    return torch.cat([table[1:half].flip(0), table[:1], table[half + 1 :]])


def roughness(curves: Tensor) -> Tensor:
    """Von Neumann's ratio of each column: mean squared step over twice the variance."""
    steps = curves.diff(dim=0).pow(2).mean(dim=0)
    return steps / (2 * curves.var(dim=0, correction=0)).clamp(min=1e-20)


def size(rows: Tensor) -> float:
    """Root mean square."""
    return float(rows.pow(2).mean().sqrt())


@check("warning", "bias")
def flat_bias(subject: Subject) -> Iterator[Problem]:
    """No head's column of the table is constant: it would say nothing about position."""
    table = subject.table
    assert table is not None
    for head in (table.amax(dim=0) == table.amin(dim=0)).nonzero().flatten().tolist():
        value = float(table[0, head])
        yield Problem(
            f"{TABLE}, head {head}",
            f"The bias is {value:.3g} at every distance, which cancels in the softmax: the head has no sense of "
            "position, in no layer.",
            "Take the table from the original.",
        )


@check("warning", "bias")
def repeated_bias(subject: Subject) -> Iterator[Problem]:
    """No two heads have the same column of the table."""
    table = subject.table
    assert table is not None
    columns = table.T[table.amax(dim=0) != table.amin(dim=0)]
    if len(columns) > 1 and len(columns) == table.shape[1]:
        close = cosines(columns).triu(diagonal=1) > 0.99999
        for first, second in close.nonzero().tolist():
            if torch.allclose(columns[first], columns[second], rtol=1e-3, atol=1e-4):
                yield Problem(
                    f"{TABLE}, heads {first} and {second}",
                    "They have the same bias at every distance.",
                    "One column was copied over the other. Take the table from the original.",
                )


@check("warning", "bias")
def huge_bias(subject: Subject) -> Iterator[Problem]:
    """No head's biases differ by so much that nothing else can matter."""
    table = subject.table
    assert table is not None
    spread = table.amax(dim=0) - table.amin(dim=0)
    for head in (spread > LARGEST_SPREAD).nonzero().flatten().tolist():
        yield Problem(
            f"{TABLE}, head {head}",
            f"The bias differs by {float(spread[head]):.4g} between distances: position alone decides.",
            "The table was scaled or is damaged. Compare it with the original's.",
        )


@check("warning", "bias", "trained")
def shuffled_bias(subject: Subject) -> Iterator[Problem]:
    """The trained table is smooth over distance: neighbouring rows are alike.

    Source: J. von Neumann, Annals of Mathematical Statistics 12 (1941), on the mean square successive difference.
    """
    table = subject.table
    assert table is not None
    if len(table) < 16:
        return
    curves = by_distance(table)
    rough, spread = roughness(curves), curves.std(dim=0, correction=0)
    learned = spread > LEARNED
    if learned.any() and float(rough[learned].median()) > ROUGH:
        yield Problem(
            TABLE,
            f"Neighbouring distances have unrelated biases (roughness {float(rough[learned].median()):.2f}; 1 is "
            "random order, trained tables have 0.1 to 0.4): its rows are not in the order of distance.",
            "Rows 0 to n/2 - 1 are the past, from near to far, those from n/2 + 1 the future. Take the original's.",
        )
        return
    for head in (learned & (rough > ROUGH + 0.1)).nonzero().flatten().tolist():
        yield Problem(
            f"{TABLE}, head {head}",
            f"Neighbouring distances have unrelated biases (roughness {float(rough[head]):.2f}).",
            "The column was shuffled or drawn anew. Take the table from the original.",
        )


@check("warning", "bias", "trained")
def untrained_bias(subject: Subject) -> Iterator[Problem]:
    """The table has learned, if the layers have."""
    table = subject.table
    assert table is not None
    if len(table) < 16:
        return
    curves = by_distance(table)
    rough, spread = roughness(curves), curves.std(dim=0, correction=0)
    if float(spread.max()) <= LEARNED and float(rough.median()) > ROUGH:
        yield Problem(
            TABLE,
            f"It looks fresh: no smooth curve over distance, standard deviation {float(spread.mean()):.3f}.",
            "The layers are trained, the table is not: it was drawn anew when it was loaded. Take the original's.",
        )


@check("warning", "bias", "trained")
def moved_rows(subject: Subject) -> Iterator[Problem]:
    """The rows are where the bucket function looks: the middle one unused, the nearest distances learned best."""
    table = subject.table
    assert table is not None
    half = len(table) // 2
    if len(table) < 16 or len(table) % 2:
        return
    middle, whole = size(table[half]), size(table)
    nearest = min(size(table[row]) for row in (0, 1, half + 1))
    if middle > 0.35 and middle > 0.25 * whole:
        yield Problem(
            f"{TABLE}, row {half}",
            f"No distance leads to this row, yet it has learned (size {middle:.2g}; row 0 has {size(table[0]):.2g}).",
            "The halves of the table were exchanged, or rows moved: the past comes first, then the future.",
        )
    elif nearest < 0.06 and whole > 5 * nearest and whole > 0.2:
        yield Problem(
            TABLE,
            f"A row of the nearest distances looks untouched (size {nearest:.2g}; the whole table {whole:.2g}): they "
            "learn first in every model.",
            "Rows were reversed or moved: each half goes from near to far.",
        )


@check("warning", "trained")
def positional_convolution(subject: Subject) -> Iterator[Problem]:
    """The positional convolution has learned, and no tap of it is dead: in trained ones neighbouring taps are alike.

    Older transformers left it at random numbers when they loaded with little memory.
    Source: https://github.com/huggingface/transformers/issues/31970
    """
    lengths, directions = (subject.sound.get(f"encoder.pos_conv.0.weight_{kind}") for kind in "gv")
    if directions is not None and directions.shape[-1] > 1:
        taps = directions.detach().float().flatten(0, 1)  # [channels, taps]
        likeness = correlation(taps[:, :-1].flatten(), taps[:, 1:].flatten())
        if abs(likeness) < 4 * taps[:, 1:].numel() ** -0.5:  # four standard deviations of what chance gives
            yield Problem(
                "encoder.pos_conv.0.weight_v",
                f"It looks fresh: neighbouring taps are unrelated (correlation {likeness:.3f}), in a trained model.",
                "Names of the weight norm did not match when it was loaded. Take it from the original.",
            )
    dead = [] if lengths is None else (lengths.flatten() == 0).nonzero().flatten().tolist()
    if dead and lengths is not None and len(dead) < lengths.numel():
        yield Problem(
            "encoder.pos_conv.0.weight_g",
            f"Of {lengths.numel()} taps these are exactly zero: {listing([str(tap) for tap in dead])}.",
            "The tensor is damaged: take it from the original.",
        )


CHECKS: tuple[Check, ...] = (
    positional_convolution,
    flat_bias,
    repeated_bias,
    huge_bias,
    shuffled_bias,
    untrained_bias,
    moved_rows,
)
