"""One head taken apart, for the browser to put together again: as the model did, or as it never did."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ...gates import GATE_SOURCES, gate_from
from ...indices import check_index
from ...modules import rows_at_once
from ...tracing import Trace
from .acting import MEAN, acting_facts
from .packing import pack

MAX_FRAMES = 1500  # of a window: 30 s, 2.25 million logits
NUM_CHECKED = 64  # queries whose exact logits and weights travel along


class _Window(NamedTuple):
    """What one head does between the queries and keys of a window; the exact numbers are those of a few queries."""

    content: Float[Tensor, "queries keys"]
    content_max: Float[Tensor, " queries"]  # of the keys that are not barred, or where all are, of all
    share: Float[Tensor, " queries"]  # of a query's attention that stays in the window
    outside: Float[Tensor, "queries head_dim"]  # what keys outside the window add to the output
    logits: Float[Tensor, "checked keys"]
    weights: Float[Tensor, "checked keys"]


def stages_payload(trace: Trace, layer: int, head: int, start: int, stop: int) -> bytes:
    """What one head's attention is made of, between queries and keys `start` to `stop`, and numbers to check it by.

    content [queries, keys] float16 is less by content_max [queries] than the truth, so that half precision is finest
    where a softmax needs it. bias and barred_distances [2 queries - 1] go from the furthest key before to the furthest
    after; they and barred_keys [keys] are added to a logit, the last two being 0, or minus infinity where interventions
    bar a key. gates [sources, queries] are fed as GATE_SOURCES lists; share, value and outside complete weights and
    output where a window leaves keys out. checked: the queries (from `start`) whose exact_logits and exact_weights are
    sent. mean [head_dim] stands for every query's output where the fact `handed_on` says so; other facts are those of
    `acting_facts`.

    Raises: ValueError for a window that is empty or longer than MAX_FRAMES; IndexError.
    """
    if not 0 <= start < stop <= trace.num_frames or stop - start > MAX_FRAMES:
        expected = f"expected 1 to {MAX_FRAMES} of the frames 0 to {trace.num_frames}"
        raise ValueError(f"start, stop: {expected}; found {start} to {stop}")
    layer, head = check_index("layer", layer, trace.num_layers), check_index("head", head, trace.num_heads)
    checked = torch.linspace(0, stop - start - 1, NUM_CHECKED).round().long().unique()
    value = _value(trace, layer, head)
    window = _measure(trace, layer, head, slice(start, stop), checked, value)
    bars, acting = trace.layer_attention(layer).bars(), acting_facts(trace, layer, head)
    gates = torch.stack([gate_from(trace, layer, source)[head, start:stop] for source in GATE_SOURCES])
    arrays = {
        "content": (window.content - window.content_max[:, None]).half(),
        "content_max": window.content_max,
        "bias": bias_curves(trace, layer, stop - start - 1)[head],
        "barred_distances": _cut(bars.distances[head], stop - start - 1),
        "barred_keys": bars.keys[head, start:stop],
        "gates": gates,
        "share": window.share,
        "value": value[start:stop],
        "outside": window.outside,
        "checked": checked.int(),
        "exact_logits": window.logits,
        "exact_weights": window.weights,
        "mean": trace.context(layer)[head, 0] if acting["handed_on"] == MEAN else torch.zeros(value.shape[1]),
    }
    facts = {"layer": layer, "head": head, "start": start, "gate_sources": list(GATE_SOURCES), **acting}
    return pack(facts, {name: array.numpy() for name, array in arrays.items()})


def bias_curves(trace: Trace, layer: int, reach: int | None = None) -> Float[Tensor, "heads distances"]:
    """The bias that acts in a layer for the distances -reach to reach, in frames; zeros for a model without one.

    Without interventions it is the table's in every layer. reach: None goes as far as the clip is long or, if that is
    nearer, to max_distance, from where on nothing changes.
    """
    reach = min(trace.num_frames - 1, trace.model.config.max_distance) if reach is None else reach
    return _cut(trace.layer_attention(layer).bias_curve(), reach)


def _cut(curve: Float[Tensor, "*heads distances"], reach: int) -> Float[Tensor, "*heads some_distances"]:
    """Of a curve over all distances, those from -reach to reach."""
    middle = curve.shape[-1] // 2
    return curve[..., middle - reach : middle + reach + 1]


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
        content, barred = terms.content[:, frames], terms.logits[:, frames].isneginf()
        barred &= ~barred.all(dim=-1, keepdim=True)
        parts.append(
            _Window(
                content.clone(),
                content.masked_fill(barred, float("-inf")).amax(dim=-1),
                inside.sum(dim=-1),
                outside @ value,
                terms.logits[exact][:, frames],
                inside[exact],
            )
        )
    return _Window(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
