"""One head taken apart, for the browser to put together again: as the model did, or as it never did."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ...gates import GATE_SOURCES, gate_from
from ...modules import rows_at_once
from ...tracing import Trace
from .packing import pack

MAX_FRAMES = 1500  # of a window: 30 s, 2.25 million logits
NUM_CHECKED = 64  # queries whose exact logits and weights travel along


class _Window(NamedTuple):
    """What one head does between the queries and keys of a window; the exact numbers are those of a few queries."""

    content: Float[Tensor, "queries keys"]
    share: Float[Tensor, " queries"]  # of a query's attention that stays in the window
    outside: Float[Tensor, "queries head_dim"]  # what keys outside the window add to the output
    logits: Float[Tensor, "checked keys"]
    weights: Float[Tensor, "checked keys"]


def stages_payload(trace: Trace, layer: int, head: int, start: int, stop: int) -> bytes:
    """What one head's attention is made of, between queries and keys `start` to `stop`, and numbers to check it by.

    content [queries, keys] float16 is less by content_max [queries] than the truth, so that half precision is finest
    where a softmax needs it. bias [2 queries - 1] is the table's, from the furthest key before to the furthest after.
    gates [sources, queries] are fed as GATE_SOURCES lists; share, value and outside complete weights and output where
    a window leaves keys out. checked: the queries (from `start`) whose exact_logits and exact_weights are sent.

    Raises: ValueError for a window that is empty or longer than MAX_FRAMES; IndexError.
    """
    if not 0 <= start < stop <= trace.num_frames or stop - start > MAX_FRAMES:
        expected = f"expected 1 to {MAX_FRAMES} of the frames 0 to {trace.num_frames}"
        raise ValueError(f"start, stop: {expected}; found {start} to {stop}")
    checked = torch.linspace(0, stop - start - 1, NUM_CHECKED).round().long().unique()
    value = _value(trace, layer, head)
    window = _measure(trace, layer, head, slice(start, stop), checked, value)
    content_max = window.content.amax(dim=-1)
    gates = torch.stack([gate_from(trace, layer, source)[head, start:stop] for source in GATE_SOURCES])
    arrays = {
        "content": (window.content - content_max[:, None]).half(),
        "content_max": content_max,
        "bias": bias_curves(trace, stop - start - 1)[head],
        "gates": gates,
        "share": window.share,
        "value": value[start:stop],
        "outside": window.outside,
        "checked": checked.int(),
        "exact_logits": window.logits,
        "exact_weights": window.weights,
    }
    facts = {"layer": layer, "head": head, "start": start, "gate_sources": list(GATE_SOURCES)}
    return pack(facts, {name: array.numpy() for name, array in arrays.items()})


@torch.no_grad()
def bias_curves(trace: Trace, reach: int | None = None) -> Float[Tensor, "heads distances"]:
    """What the bias table holds for the distances -reach to reach, in frames; zeros for a model without one.

    reach: None goes as far as the clip is long or, if that is nearer, to max_distance, from where on nothing changes.
    """
    config = trace.model.config
    reach = min(trace.num_frames - 1, config.max_distance) if reach is None else reach
    if not config.relative_position_embedding:
        return torch.zeros(trace.num_heads, 2 * reach + 1)
    attention = trace.model.encoder.block(0).self_attn
    return attention.bias_of_distances(torch.arange(-reach, reach + 1)).to("cpu", torch.float32)


@torch.no_grad()
def _value(trace: Trace, layer: int, head: int) -> Float[Tensor, "frames head_dim"]:
    model = trace.model
    x = trace.attention_input(layer).unsqueeze(1).to(model.device, model.mask_emb.dtype)
    return model.encoder.block(layer).self_attn.project_value(x)[0, head].to("cpu", torch.float32)


def _measure(
    trace: Trace, layer: int, head: int, frames: slice, checked: Tensor, value: Float[Tensor, "frames head_dim"]
) -> _Window:
    """Go through the window's queries by blocks, for of a long clip only the window's keys are kept."""
    num_rows = rows_at_once(trace.model.device, 1, trace.num_frames)
    parts: list[_Window] = []
    for first in range(frames.start, frames.stop, num_rows):
        rows = slice(first, min(first + num_rows, frames.stop))
        terms = trace.attention_terms(layer, head, rows)
        inside, outside = terms.weights[:, frames], terms.weights.clone()
        outside[:, frames] = 0
        exact = checked[(checked >= rows.start - frames.start) & (checked < rows.stop - frames.start)]
        exact = exact + frames.start - rows.start
        parts.append(
            _Window(
                terms.content[:, frames].clone(),
                inside.sum(dim=-1),
                outside @ value,
                terms.logits[exact][:, frames],
                inside[exact],
            )
        )
    return _Window(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
