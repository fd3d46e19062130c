"""Quantisation noise over training steps: overwritten at each, as the original does it, and drawn afresh."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .modules import draw_block_mask, noised_weight, quant_noise

MOST_ENTRIES = 1 << 18  # of a weight, taken through all steps; of a larger one, its first rows


class StepRecord(NamedTuple):
    """A weight through training steps that nothing else moves; [0] is the weight as it was."""

    kept: Float[Tensor, " steps_and_start"]  # the share of entries that are not 0
    growth: Float[Tensor, " steps_and_start"]  # of those, their size against what it was; 0 where none is left
    mean_distance: float  # ||mean over the steps - weight|| / ||weight||
    corners: Float[Tensor, "chosen rows columns"]  # after some of the steps


class Accumulation(NamedTuple):
    """The same draws, twice."""

    overwritten: StepRecord
    drawn_afresh: StepRecord
    chosen: tuple[int, ...]  # steps, after which there are corners
    num_rows: int  # that went through the steps


def overwritten(
    weight: Float[Tensor, "rows columns"], p: float, block_size: int, seed: int, embedding: bool = False
) -> Iterator[Float[Tensor, "rows columns"]]:
    """Yield a copy of the weight after one training step, after two, ...: `quant_noise` in training, no optimiser.

    Raises: as `check_quant_noise`.
    """
    rows, columns = weight.shape
    with torch.device("meta"):  # no draw of the global generator, which belongs to others
        module = nn.Embedding(rows, columns) if embedding else nn.Linear(columns, rows, bias=False)
    module.weight = nn.Parameter(weight.clone(), requires_grad=False)
    inputs = torch.zeros(1, dtype=torch.long) if embedding else torch.zeros(1, columns)
    quant_noise(module, p, block_size, torch.Generator().manual_seed(seed)).train()
    while True:
        module(inputs)  # the noise comes before the pass, whatever passes
        yield module.weight.clone()


def drawn_afresh(
    weight: Float[Tensor, "rows columns"], p: float, block_size: int, seed: int
) -> Iterator[Float[Tensor, "rows columns"]]:
    """Yield the weight under one draw of noise, under the next, ...: the same draws, each on the weight as it was.

    Raises: as `check_quant_noise`.
    """
    rows, columns = weight.shape
    shape = nn.utils.skip_init(nn.Linear, columns, rows, bias=False)  # only its shape is read
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield noised_weight(weight, draw_block_mask(shape, p, block_size, generator), p)


def follow(
    weight: Float[Tensor, "rows columns"],
    noised: Iterator[Float[Tensor, "rows columns"]],
    num_steps: int,
    chosen: Sequence[int],
    cells: int,
) -> StepRecord:
    """Watch a weight through steps: what is left of it, and its first cells x cells after each of the chosen steps."""
    num_there, norm = (weight != 0).sum().clamp(min=1), torch.linalg.vector_norm
    kept, growth, total, corners = [1.0], [1.0], torch.zeros_like(weight), {0: weight[:cells, :cells]}
    for step in range(1, num_steps + 1):
        now = next(noised)
        left = now != 0
        before = float((weight.abs() * left).sum())
        kept.append(float(left.sum() / num_there))
        growth.append(float(now.abs().sum()) / before if before else 0.0)
        total += now
        if step in chosen:
            corners[step] = now[:cells, :cells].clone()
    distance = float(norm(total / num_steps - weight) / norm(weight).clamp(min=1e-12))
    stacked = torch.stack([corners[step] for step in chosen])
    return StepRecord(torch.tensor(kept), torch.tensor(growth), distance, stacked)


def accumulate(
    weight: Float[Tensor, "rows columns"],
    p: float,
    block_size: int,
    seed: int,
    num_steps: int,
    chosen: Sequence[int],
    cells: int,
    embedding: bool = False,
) -> Accumulation:
    """Take a weight, or the first rows of a large one, through training steps in both ways, under the same draws.

    Raises: as `check_quant_noise`.
    """
    weight = weight[: max(1, MOST_ENTRIES // weight.shape[1])]
    ways = overwritten(weight, p, block_size, seed, embedding), drawn_afresh(weight, p, block_size, seed)
    ours, afresh = (follow(weight, way, num_steps, chosen, cells) for way in ways)
    return Accumulation(ours, afresh, tuple(chosen), len(weight))
