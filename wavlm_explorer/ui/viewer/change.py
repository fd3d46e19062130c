"""Two passes of one clip through one model, for the viewer: the clip as it is, and under interventions."""

import threading
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ...effects import HeadChanges, head_changes, paired_attention, state_changes
from ...indices import choose
from ...interventions import FramesHidden
from ...pooling import max_pool, pooling_factor
from ...tracing import THUMBNAIL_CELLS, Trace
from .packing import pack
from .quantization import EXACT_CELLS, SIGNED_STEPS, WINDOW_CELLS, quantize_changes


@dataclass(frozen=True, eq=False)
class Change:
    """The untouched pass and the one under interventions; whoever shows it keeps it."""

    before: Trace
    after: Trace

    def head_changes(self, layer: int) -> HeadChanges:
        """What moved in the heads of a layer, remembered."""
        with self._comparing:  # who asks for what is on its way waits for it
            if layer not in self._compared:
                self._compared[layer] = head_changes(self.before, self.after, layer, THUMBNAIL_CELLS)
            return self._compared[layer]

    def layer_summary(self, layer: int) -> None:
        """Have ready all that the atlas shows of a layer."""
        self.head_changes(layer)
        self.after.layer_summary(layer)

    def moves_most(self) -> tuple[int, int]:
        """The layer and the head whose attention moves most, by its mean share."""
        moved = torch.stack([self.head_changes(layer).moved for layer in range(self.before.num_layers)])
        layer, head = divmod(int(moved.argmax()), self.before.num_heads)
        return layer, head

    def hidden_spans(self) -> list[tuple[int, int]]:
        """The frames of the sound that are hidden: first and one behind the last of each stretch."""
        hidden = torch.zeros(self.before.num_frames + 2, dtype=torch.int8)  # with an open frame at either end
        for one in self.after.interventions:
            if isinstance(one, FramesHidden):
                hidden[1 + choose("frame", one.frames, self.before.num_frames)] = 1
        edges = hidden.diff().nonzero().flatten().tolist()
        return list(zip(edges[::2], edges[1::2], strict=True))

    @cached_property
    def _compared(self) -> dict[int, HeadChanges]:
        return {}

    @cached_property
    def _comparing(self) -> threading.Lock:
        return threading.Lock()


def over_time_payload(change: Change) -> bytes:
    """How far each frame of each hidden state moved, relative [states_and_output, frames] float32; output is last."""
    return pack({}, {"relative": state_changes(change.before, change.after).relative.numpy()})


def moved_payload(change: Change, layer: int) -> bytes:
    """What moved in every head of a layer: a small map, and the share of its attention that goes elsewhere.

    cells [heads, queries, keys] int8: of each factor x factor frames the change largest in size, as its sign times
    127 x sqrt(|change| / reach), where reach is the largest of the layer; moved [heads] float32.
    """
    thumbnails, moved = change.head_changes(layer)
    reach = float(thumbnails.abs().nan_to_num(nan=0).max())
    roots = (thumbnails.abs() / (reach or 1)).sqrt().copysign(thumbnails)
    cells = (roots * SIGNED_STEPS).round().to(torch.int8)
    factor = pooling_factor(change.before.num_frames, THUMBNAIL_CELLS)
    return pack({"layer": layer, "factor": factor, "reach": reach}, {"cells": cells.numpy(), "moved": moved.numpy()})


def difference_payload(change: Change, layer: int, head: int, start: int, stop: int) -> bytes:
    """One head's weights with the change less those without, among the frames `start` to `stop`.

    weights [queries, keys] float32 where they are few; else cells [1, queries, keys] int8, each the difference largest
    in size of factor x factor frames in 127ths of row_max [1, queries] float32.

    Raises: ValueError for a window that is not in the clip; IndexError.
    """
    num_frames = change.before.num_frames
    if not 0 <= start < stop <= num_frames:
        raise ValueError(f"expected frames within 0 to {num_frames}; found {start} to {stop}")
    factor = pooling_factor(stop - start, WINDOW_CELLS)
    difference = _pool_difference(change, layer, head, slice(start, stop), factor)
    facts = {"layer": layer, "head": head, "from": start, "to": stop, "factor": factor, "signed": True}
    if stop - start <= EXACT_CELLS:
        return pack(facts, {"weights": difference[0].numpy()})
    maps = quantize_changes(difference)
    return pack(facts, {"cells": maps.cells, "row_max": maps.row_max})


def _pool_difference(
    change: Change, layer: int, head: int, frames: slice, factor: int
) -> Float[Tensor, "head pooled_queries pooled_keys"]:
    queries = range(frames.start, frames.stop)
    blocks = paired_attention(change.before, change.after, layer, head, queries, factor)
    return torch.cat([max_pool((b - a)[..., frames], factor) for a, b in blocks], dim=1)
