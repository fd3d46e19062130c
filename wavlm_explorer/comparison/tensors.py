"""What lies between two checkpoints, tensor by tensor: no model is built, so the checkpoints need not be whole."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Status = Literal["same", "changed", "only in a", "only in b", "other shape", "not finite"]

# The parts of a layer, in the order in which a frame meets them.
LAYER_ROLES = (
    "q_proj", "k_proj", "v_proj", "grep_linear", "grep_a", "relative_attention_bias", "out_proj",
    "self_attn_layer_norm", "fc1", "fc2", "final_layer_norm",
)  # fmt: skip
FRONT_END, ENCODER = "front end", "encoder"
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.(?:self_attn\.)?(\w+)")
_CONVOLUTION = re.compile(r"feature_extractor\.conv_layers\.(\d+)\.")


class Place(NamedTuple):
    """Where in the model a tensor belongs."""

    part: str  # "front end", "encoder" (what lies between the front end and the layers), or "layer 3"
    role: str  # "conv 0", "pos_conv", "q_proj", ...


@dataclass(frozen=True)
class TensorChange:
    """How one tensor differs. Numbers are None where they have no meaning: see `status`."""

    name: str
    place: Place
    status: Status
    shape_a: tuple[int, ...] | None
    shape_b: tuple[int, ...] | None
    norm_a: float | None = None  # ||a||, the root of the sum of squares
    norm_change: float | None = None  # ||b - a||
    relative_change: float | None = None  # ||b - a|| / ||a||; None where a is zero and b is not
    cosine: float | None = None  # a.b / (||a|| ||b||); None where one of them is zero
    largest_change: float | None = None  # max |b - a|


def place_of(name: str) -> Place:
    """Say where in the model a tensor of that name belongs."""
    if layer := _LAYER.match(name):
        return Place(f"layer {int(layer[1])}", layer[2])
    if convolution := _CONVOLUTION.match(name):
        return Place(FRONT_END, f"conv {int(convolution[1])}")
    if name.startswith("encoder."):
        return Place(ENCODER, name.split(".")[1])
    return Place(FRONT_END, name.split(".")[0])


def compare_tensors(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> tuple[TensorChange, ...]:
    """Compare what has the same name; the order is a's, then what only b has. Computed in float64."""
    names = [*a, *(name for name in b if name not in a)]
    return tuple(_compare(name, a.get(name), b.get(name)) for name in names)


def _compare(name: str, a: Tensor | None, b: Tensor | None) -> TensorChange:
    shape_a, shape_b = (None if tensor is None else tuple(tensor.shape) for tensor in (a, b))
    place = place_of(name)
    if a is None or b is None:
        return TensorChange(name, place, "only in b" if a is None else "only in a", shape_a, shape_b)
    if shape_a != shape_b:
        return TensorChange(name, place, "other shape", shape_a, shape_b)
    flat_a, flat_b = (tensor.detach().flatten().to("cpu", torch.float64) for tensor in (a, b))
    if not bool(flat_a.isfinite().all() and flat_b.isfinite().all()):
        return TensorChange(name, place, "not finite", shape_a, shape_b)
    change = flat_b - flat_a
    norm_a, norm_b, norm_change = (float(torch.linalg.vector_norm(flat)) for flat in (flat_a, flat_b, change))
    largest = float(change.abs().max()) if len(change) else 0.0
    cosine = float(flat_a @ flat_b) / (norm_a * norm_b) if norm_a * norm_b > 0 else None
    return TensorChange(
        name, place, "changed" if largest else "same", shape_a, shape_b, norm_a, norm_change,
        _ratio(norm_change, norm_a), None if cosine is None else max(-1.0, min(1.0, cosine)), largest,
    )  # fmt: skip


def relative_change(changes: Iterable[TensorChange]) -> float | None:
    """||b - a|| / ||a|| of several tensors taken as one; None if none of them can be compared."""
    known = [(one.norm_change, one.norm_a) for one in changes if one.norm_change is not None and one.norm_a is not None]
    return _ratio(math.hypot(*(change for change, _ in known)), math.hypot(*(norm for _, norm in known)), bool(known))


def _ratio(change: float, norm: float, is_known: bool = True) -> float | None:
    if not is_known or (norm == 0 and change > 0):
        return None
    return change / norm if norm > 0 else 0.0


def by_place(changes: Iterable[TensorChange]) -> dict[Place, list[TensorChange]]:
    """Gather what belongs to the same place: a projection's weight and its bias, for instance."""
    places: dict[Place, list[TensorChange]] = {}
    for change in changes:
        places.setdefault(change.place, []).append(change)
    return places


def by_part(changes: Iterable[TensorChange]) -> dict[str, list[TensorChange]]:
    """Gather the tensors of each part: front end, encoder, each layer, in this order."""
    parts: dict[str, list[TensorChange]] = {}
    for change in changes:
        parts.setdefault(change.place.part, []).append(change)
    return dict(sorted(parts.items(), key=lambda item: part_order(item[0])))


def part_order(part: str) -> int:
    """Sort parts as a sound passes through them."""
    return int(part.removeprefix("layer ")) if part.startswith("layer ") else -1 if part == ENCODER else -2
