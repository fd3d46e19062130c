"""Interventions as plain facts, which a file's JSON can hold: {"name": "HeadsOff", "mean": false, "layers": 3, ...}.

Layers, heads and frames are null for all, a whole number, a list of them, or {"slice": [start, stop, step]}.
"""

import dataclasses
import operator
from collections.abc import Callable, Sequence
from typing import Any

from ..indices import Heads
from .attention import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    GateFixed,
    HeadsOff,
    PositionFrom,
    PositionOff,
)
from .plan import Intervention
from .states import FramesHidden, LayersSkipped, StatesPatched

NAMED = {
    kind.__name__: kind
    for kind in (
        AttentionTo,
        AttentionUniform,
        AttentionWithin,
        ContentOff,
        FramesHidden,
        GateFixed,
        HeadsOff,
        LayersSkipped,
        PositionFrom,
        PositionOff,
    )
}
MOST = 1000  # interventions of one trace
MOST_LISTED = 100_000  # numbers in all their lists: every frame of half an hour
LARGEST = 1 << 31  # whole number in a file: far beyond every layer, head and frame
SLICE = "slice"


def to_facts(interventions: Sequence[Intervention]) -> list[dict[str, Any]]:
    """Describe interventions, in their order.

    Raises: ValueError for one that holds another trace, for what is not among NAMED, and for more than a file holds.
    """
    if len(interventions) > MOST:
        raise ValueError(f"interventions: expected at most {MOST:,} for a file; found {len(interventions):,}.")
    facts = [_describe(intervention) for intervention in interventions]
    _check_listed(facts)
    return facts


def from_facts(facts: Sequence[Any]) -> tuple[Intervention, ...]:
    """Make the interventions that a stranger's file describes: only names, fields and values that are known.

    Whether they have a place in a model and a clip, `Plan` says.

    Raises: ValueError with what was expected and found.
    """
    if len(facts) > MOST:
        raise ValueError(f"interventions: expected at most {MOST:,}; found {len(facts):,}.")
    _check_listed(facts)
    return tuple(_make(index, entry) for index, entry in enumerate(facts))


def _check_listed(facts: Sequence[Any]) -> None:
    """Refuse what would take long to check, number by number."""
    values = (value for entry in facts if isinstance(entry, dict) for value in entry.values())
    listed = sum(len(value) for value in values if isinstance(value, list))
    if listed > MOST_LISTED:
        raise ValueError(f"interventions: expected lists of at most {MOST_LISTED:,} numbers in all; found {listed:,}.")


def _describe(intervention: Intervention) -> dict[str, Any]:
    kind = type(intervention)
    if kind is StatesPatched:
        raise ValueError(
            "Expected interventions that stand for themselves; StatesPatched takes its states from another trace, "
            "which the file would not hold. Save both traces without it, and call what_if on the loaded ones."
        )
    if NAMED.get(kind.__name__) is not kind:
        raise ValueError(f"interventions: expected some of {', '.join(NAMED)} for a file; found {kind.__name__}.")
    fields = {field.name: getattr(intervention, field.name) for field in dataclasses.fields(intervention)}
    return {"name": kind.__name__} | {name: WRITERS[name](value) for name, value in fields.items()}


def _make(index: int, entry: Any) -> Intervention:
    what = f"Intervention {index}"
    name = entry.get("name") if isinstance(entry, dict) else None
    kind = NAMED.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{what}: expected a name among {', '.join(NAMED)}; found {_shown(name)}.")
    fields = [field.name for field in dataclasses.fields(kind)]
    if entry.keys() != {"name", *fields}:
        raise ValueError(f"{what}, {name}: expected the fields {', '.join(fields)}; found {_shown([*entry])}.")
    values = {}
    for field in fields:
        is_right, expected = READERS[field]
        if not is_right(entry[field]):
            raise ValueError(f"{what}, {name}, {field}: expected {expected}; found {_shown(entry[field])}.")
        values[field] = _as_indices(entry[field])
    return kind(**values)


def _plain(chosen: Heads) -> Any:
    """Indices as JSON has them."""
    if chosen is None:
        return None
    if isinstance(chosen, slice):
        return {
            SLICE: [None if end is None else operator.index(end) for end in (chosen.start, chosen.stop, chosen.step)]
        }
    if getattr(chosen, "ndim", 0) == 0 and not isinstance(chosen, Sequence):
        return operator.index(chosen)  # type: ignore[arg-type]
    return [operator.index(one) for one in list(chosen)]  # type: ignore[arg-type]


def _as_indices(value: Any) -> Any:
    """What a field holds: a value of JSON, but for slices."""
    return slice(*value[SLICE]) if isinstance(value, dict) else value


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) <= LARGEST


def _are_indices(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_whole, value))
    if isinstance(value, dict):
        ends = value.get(SLICE)
        if value.keys() != {SLICE} or not isinstance(ends, list) or len(ends) != 3:
            return False
        return all(end is None or _is_whole(end) for end in ends)
    return value is None or _is_whole(value)


def _shown(value: Any) -> str:
    return repr(value)[:60]


WRITERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("layers", "heads", "frames"), _plain),
    **dict.fromkeys(("source", "reach", "frame"), operator.index),
    "value": float,
    "mean": bool,
}
READERS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("layers", "heads", "frames"),
        (_are_indices, 'null, a whole number, a list of them, or {"slice": [start, stop, step]}'),
    ),
    **dict.fromkeys(("source", "reach", "frame"), (_is_whole, "a whole number")),
    "value": (lambda value: type(value) is float, "a number with a decimal point"),
    "mean": (lambda value: type(value) is bool, "true or false"),
}
