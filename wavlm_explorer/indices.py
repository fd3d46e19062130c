"""Layers, heads and frames as a caller names them, checked: Python's rules, and errors that say the range."""

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

Heads = SupportsIndex | Sequence[SupportsIndex] | np.ndarray | Tensor | slice | None


def check_index(what: str, index: Any, length: int) -> int:
    """Return the index counted from the start.

    Raises: TypeError for what is no whole number; IndexError naming the range.
    """
    number = _as_whole(what, index)
    if not -length <= number < length:
        raise IndexError(
            f"{what} {number} is out of range: expected 0 to {length - 1}, or -{length} to -1 from the end"
        )
    return number % length


def check_count(what: str, count: Any) -> int:
    """Return a number of things.

    Raises: TypeError for what is no whole number; ValueError for one below 0.
    """
    number = _as_whole(what, count)
    if number < 0:
        raise ValueError(f"{what}: expected a whole number, 0 or more; found {number}")
    return number


def choose(what: str, chosen: Heads, length: int) -> Int[Tensor, " chosen"]:
    """Return the indices of one, of several, of a slice, or of all.

    Raises: as `check_index`, and as `choose_slice`.
    """
    if chosen is None or isinstance(chosen, slice):
        return choose_slice(what, chosen, length)
    is_one = (getattr(chosen, "ndim", 0) == 0 and not isinstance(chosen, Sequence)) or isinstance(chosen, str)
    indices = [chosen] if is_one else list(chosen)  # type: ignore[arg-type]
    return torch.tensor([check_index(what, index, length) for index in indices], dtype=torch.long)


def choose_slice(what: str, chosen: slice | None, length: int) -> Int[Tensor, " chosen"]:
    """Return the indices of a slice, or of all.

    Raises: TypeError for anything else; IndexError for a step below 1.
    """
    if chosen is not None and not isinstance(chosen, slice):
        raise TypeError(f"{what}: expected a slice such as slice(0, 100), or None for all; found {chosen!r}")
    if chosen is not None and chosen.step is not None and chosen.step < 1:
        raise IndexError(f"{what}: expected a slice with a step of at least 1; found a step of {chosen.step}")
    return torch.arange(length)[slice(None) if chosen is None else chosen]


def _as_whole(what: str, value: Any) -> int:
    if type(value) is int:  # as most are: asking for a protocol takes far longer
        return value
    is_truth = isinstance(value, bool | np.bool_) or (isinstance(value, Tensor) and value.dtype == torch.bool)
    if is_truth or not isinstance(value, SupportsIndex):  # an entry of a mask would pass for index 0 or 1
        raise TypeError(f"{what}: expected a whole number, found {value!r} ({type(value).__name__})")
    return operator.index(value)
