"""What interventions do to a clip: the pass under them beside the pass without, and which heads matter most.

Conventions: `before` is the trace that one begins with, `after` the one under further interventions, of the same clip
and model.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, SupportsIndex
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor

from .indices import Heads, check_index, choose
from .interventions import HeadsOff, Intervention
from .keeping import Keeper
from .modules import rows_at_once
from .noise import relative_changes
from .passes import Progress, ignore, part_of
from .pooling import MAX_CELLS, max_pool, pool_highest, pooling_factor
from .tracing import Trace

SMALLEST = torch.finfo(torch.float32).tiny


_changed: Keeper[Trace] = Keeper()


def changed(trace: Trace, interventions: Sequence[Intervention]) -> Trace:
    """Let the clip pass under interventions; the latest such pass is kept as long as the trace is there.

    Raises: as `Trace.what_if`.
    """
    return _changed.recall(trace, lambda: trace.what_if(interventions), subject=tuple(interventions))


class StateChanges(NamedTuple):
    """How far each frame of each state moved; the last row is the model's output."""

    relative: Float[Tensor, "states_and_output frames"]  # ||after - before|| / ||before||
    cosine: Float[Tensor, "states_and_output frames"]  # between before and after: 1 where only the length changed


def state_changes(before: Trace, after: Trace) -> StateChanges:
    """Compare the hidden states frame by frame."""
    a, b = (torch.cat([trace.hidden_states, trace.output[None]]) for trace in (before, after))
    size = torch.linalg.vector_norm(a, dim=-1).clamp(min=SMALLEST)
    return StateChanges(torch.linalg.vector_norm(b - a, dim=-1) / size, torch.cosine_similarity(a, b, dim=-1))


def output_change(before: Trace, after: Trace) -> float:
    """||after - before|| / ||before|| of the output, over the whole clip."""
    return relative_changes(before, after)[1]


def paired_attention(
    before: Trace, after: Trace, layer: SupportsIndex, heads: Heads, queries: range, factor: int = 1
) -> Iterator[tuple[Float[Tensor, "heads block keys"], Float[Tensor, "heads block keys"]]]:
    """Yield the weights before and after, by blocks of queries, so that a long clip needs the memory of a few.

    factor: every block but the last has a multiple of so many queries, for maps that are pooled by it.

    Raises: IndexError for a layer or head that is not there.
    """
    num_maps = len(choose("head", heads, before.num_heads))
    step = factor * max(1, rows_at_once(before.model.device, num_maps, before.num_frames) // factor)
    for first in range(queries.start, queries.stop, step):
        rows = slice(first, min(first + step, queries.stop))
        yield before.attention(layer, heads, rows), after.attention(layer, heads, rows)


def moved_attention(
    before: Trace, after: Trace, layer: SupportsIndex, heads: Heads = None
) -> Float[Tensor, "heads queries"]:
    """What share of each frame's attention goes elsewhere: half the sum over the keys of |A' - A|.

    Raises: IndexError for a layer or head that is not there.
    """
    blocks = paired_attention(before, after, layer, heads, range(before.num_frames))
    return torch.cat([(b - a).abs_().sum(dim=-1) / 2 for a, b in blocks], dim=1)


def moved_by_head(before: Trace, after: Trace) -> Float[Tensor, "layers heads"]:
    """The mean share that moves, of every head of every layer."""
    return torch.stack([moved_attention(before, after, layer).mean(dim=1) for layer in range(before.num_layers)])


class HeadChanges(NamedTuple):
    """What an intervention moved in all heads of a layer, at a glance."""

    thumbnails: Float[Tensor, "heads query_cells key_cells"]  # after - before; each cell the change largest in size
    moved: Float[Tensor, " heads"]  # the share of a frame's attention that goes elsewhere, mean over the frames


def head_changes(before: Trace, after: Trace, layer: SupportsIndex, cells: int) -> HeadChanges:
    """Compare the attention of all heads of a layer, in one go over its maps.

    Raises: IndexError for a layer that is not there.
    """
    factor = pooling_factor(before.num_frames, cells)
    thumbnails, moved = [], torch.zeros(before.num_heads)
    for a, b in paired_attention(before, after, layer, None, range(before.num_frames), factor):
        difference = b.sub_(a)
        thumbnails.append(max_pool(difference, factor))
        moved += difference.abs_().sum(dim=(1, 2)) / 2
    return HeadChanges(torch.cat(thumbnails, dim=1), moved / before.num_frames)


class AttentionChange(NamedTuple):
    """One head's attention before and after; the maps' cells hold the extreme of what they cover."""

    layer: int
    head: int
    before: Float[Tensor, "query_cells key_cells"]
    after: Float[Tensor, "query_cells key_cells"]
    difference: Float[Tensor, "query_cells key_cells"]  # after - before, pooled last
    moved: float  # the share of a frame's attention that goes elsewhere, mean over the frames
    largest: float  # change of a weight


def attention_change(
    before: Trace, after: Trace, layer: SupportsIndex, head: SupportsIndex, cells: int = MAX_CELLS
) -> AttentionChange:
    """Compare one head's attention in maps of at most cells x cells, whatever the clip's length.

    moved = mean over frames i of sum over j of |after[i, j] - before[i, j]| / 2: 0 for alike, 1 for disjoint.

    Raises: IndexError for a layer or head that is not there.
    """
    layer, head = check_index("layer", layer, before.num_layers), check_index("head", head, before.num_heads)
    factor = pooling_factor(before.num_frames, cells)
    maps, moved, largest = [], 0.0, 0.0
    for (a,), (b,) in paired_attention(before, after, layer, head, range(before.num_frames), factor):
        difference = b - a
        moved += float(difference.abs().sum()) / 2
        largest = max(largest, float(difference.abs().max()))
        maps.append(torch.stack((pool_highest(a, factor), pool_highest(b, factor), max_pool(difference, factor))))
    pooled_before, pooled_after, difference = torch.cat(maps, dim=1)
    return AttentionChange(layer, head, pooled_before, pooled_after, difference, moved / before.num_frames, largest)


def head_importance(trace: Trace, progress: Progress | None = None) -> Float[Tensor, "layers heads"]:
    """How far the output moves when one head hands on nothing: each head in its turn, all others as they are.

    ||after - before|| / ||before|| of the output. A head of layer l costs the layers from l on; the numbers are
    remembered as long as the trace is there.

    progress: called with the share of the work done, 0 to 1, many times a second; what it raises ends the sweep.
    """
    known = _importances.get(trace)
    if known is not None:
        return known
    layers, report = trace.num_layers, progress or ignore
    total, done = trace.num_heads * layers * (layers + 1) / 2, 0  # layers to run
    importance = torch.zeros(layers, trace.num_heads)
    for layer in range(layers):
        for head in range(trace.num_heads):
            within = part_of(report, done / total, (layers - layer) / total)
            after = trace.what_if([HeadsOff(layers=layer, heads=head)], within)
            importance[layer, head] = output_change(trace, after)
            done += layers - layer
    return _importances.setdefault(trace, importance)


def known_importance(trace: Trace) -> Float[Tensor, "layers heads"] | None:
    """What `head_importance` found, if it was asked before."""
    return _importances.get(trace)


def rank_correlation(a: Float[Tensor, "..."], b: Float[Tensor, "..."]) -> float | None:
    """Spearman's: do the heads that are high in one measure stand high in the other? None where one is constant."""
    ranks = torch.stack([_ranks(values.flatten()) for values in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1]) if (ranks.std(dim=1, correction=0) > 0).all() else None


_importances: WeakKeyDictionary[Trace, Tensor] = WeakKeyDictionary()


def _ranks(values: Float[Tensor, " values"]) -> Float[Tensor, " values"]:
    """Ranks from 0; equal values share the mean of theirs."""
    above, equal = values[:, None] > values, values[:, None] == values
    return above.double().sum(dim=1) + (equal.double().sum(dim=1) - 1) / 2
