"""Every tensor of a file is used, left out for a reason, or named as a stranger."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .checkpoint import Account
from .heads import why_beside
from .search import Encoder, dictionaries

FILLED = {"mask_emb": "used only where frames are masked; zeros stand for it"}
PLACES = (  # where tensors lie that are no part of a model
    (re.compile(r"(?i).*optim.*"), "state of an optimiser"),
    (re.compile(r"(?i).*sched.*"), "state of a schedule"),
    (re.compile(r"(?i).*(ema|teacher|swa|shadow|average|target).*"), "another copy of the weights"),
    (re.compile(r"(?i).*(criterion|loss|callback|scaler|rng|random).*"), "state of the training"),
)


def split_packed(
    tensors: Mapping[str, Tensor], origins: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Tensor], dict[str, tuple[str, ...]], list[str]]:
    """Cut projections that are packed as in_proj_weight and in_proj_bias into the thirds q, k, v, in that order."""
    whole: dict[str, Tensor] = {}
    names: dict[str, tuple[str, ...]] = {}
    for name, tensor in tensors.items():
        packed = re.fullmatch(r"(.*\.self_attn)\.in_proj_(weight|bias)", name)
        if packed and len(tensor) % 3 == 0:
            for letter, part in zip("qkv", tensor.chunk(3), strict=True):
                whole[f"{packed[1]}.{letter}_proj.{packed[2]}"] = part
                names[f"{packed[1]}.{letter}_proj.{packed[2]}"] = origins[name]
        else:
            whole[name], names[name] = tensor, origins[name]
    notes = ["Packed query, key and value projections were cut in three."] if len(whole) > len(tensors) else []
    return whole, names, notes


def unfold_weight_norm(tensors: dict[str, Tensor], origins: dict[str, tuple[str, ...]]) -> list[str]:
    """Write a plain positional convolution as magnitude and direction again, in place.

    The product g v / ||v|| of the two is the convolution's weight, up to the rounding of one division.
    """
    folded, magnitude, direction = (f"encoder.pos_conv.0.weight{kind}" for kind in ("", "_g", "_v"))
    if folded not in tensors or magnitude in tensors or direction in tensors or tensors[folded].ndim != 3:
        return []
    weight = tensors.pop(folded)  # [width, width / groups, kernel]
    tensors[direction] = weight
    tensors[magnitude] = weight.float().norm(dim=(0, 1), keepdim=True).to(weight.dtype)
    origins[direction] = origins[magnitude] = origins.pop(folded)
    return ["The weight norm of the positional convolution was folded into its weight; it was split again."]


def account_for(
    values: Any,
    encoder: Encoder,
    others: list[Encoder],
    tensors: Mapping[str, Tensor],
    origins: Mapping[str, tuple[str, ...]],
    expected: Mapping[str, tuple[int, ...]],
) -> Account:
    """Say what became of each tensor.

    tensors, origins: the encoder's, under the original's names, and the file's names of each.
    expected: the shapes that the config asks for; empty when there is no config to ask.
    """
    used = {name: origins[name] for name in tensors if name in expected or not expected}
    taken = {name for names in used.values() for name in names}
    ignored, unexpected = {}, []
    for name in encoder.state.keys() - taken:
        reason = _why_ignored(name, encoder, others)
        if reason:
            ignored[name] = reason
        else:
            unexpected.append(name)
    ignored |= _elsewhere(values, encoder)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    missing = [name for name in expected if name not in tensors]
    return Account(
        used=used,
        filled={name: FILLED[name] for name in missing if name in FILLED},
        ignored=ignored,
        missing=tuple(name for name in missing if name not in FILLED),
        unexpected=tuple(sorted(unexpected)),
        wrong_shape={
            name: (shape, shapes[name]) for name, shape in expected.items() if name in shapes and shapes[name] != shape
        },
    )


def _why_ignored(name: str, encoder: Encoder, others: list[Encoder]) -> str:
    beside = why_beside(name.removeprefix(encoder.prefix))
    if beside:
        return beside.reason
    if any(other.where == encoder.where and name.startswith(other.prefix or "\0") for other in others):
        return "another copy of the weights"
    if not name.startswith(encoder.prefix):
        outside = why_beside(name)
        return outside.reason if outside else f"outside the encoder, whose names start with {encoder.prefix!r}"
    return ""


def _elsewhere(values: Any, encoder: Encoder) -> dict[str, str]:
    """Name the tensors in all other dictionaries of the file."""
    found = {}
    for where, dictionary in dictionaries(values):
        if where == encoder.where:
            continue
        reason = next((why for pattern, why in PLACES if pattern.fullmatch(where)), "beside the model")
        for name, value in dictionary.items():
            if isinstance(value, Tensor):
                found[f"{where}.{name}".strip(".")] = reason
    return found
