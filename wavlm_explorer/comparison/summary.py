"""A difference in a few sentences, each made of the numbers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .behaviour import Behaviour
from .divergence import Divergence
from .tensors import ENCODER, FRONT_END, TensorChange, by_part, relative_change

if TYPE_CHECKING:
    from .difference import Difference

MOST = 0.7  # layers that moved at least so much of what the most moved one did are named together with it
NAMES_SHOWN = 4
NAMES_OF_PARTS = {FRONT_END: "the front end", ENCODER: "the positional convolution and the encoder's norm"}
UNCHANGED_DIVERGENCE = 1e-9  # bits; below it lies rounding


def summarise(difference: "Difference") -> str:
    """Say what differs, where most, and what it does."""
    if difference.is_same:
        return " ".join(_same(difference))
    shared = [one for one in difference.tensors if one.relative_change is not None]
    sentences = [
        *_changed(shared),
        *_layers(shared),
        *_not_comparable(difference.tensors),
        *_config(difference),
        *(_behaviour(difference.behaviour) if difference.behaviour else ()),
    ]
    if difference.no_behaviour:
        sentences.append(f"They were not run on a clip: {difference.no_behaviour.rstrip('.')}.")
    return " ".join(sentences)


def percent(share: float | None) -> str:
    """Write a share with two digits that matter: 35%, 0.52%, 3.1e-05%."""
    if share is None:
        return "not defined"
    return "0%" if share == 0 else f"{share:.0%}" if share >= 0.0995 else f"{100 * share:.2g}%"


def _same(difference: "Difference") -> Iterator[str]:
    num_same = sum(one.status == "same" for one in difference.tensors)
    yield f"Both are the same model: all {num_same} tensors are equal in every number."
    if difference.a.layout != difference.b.layout:
        yield f"Only the layout differs ({difference.a.layout}, {difference.b.layout})."
    if absent := [one.name for one in difference.tensors if one.status != "same"]:
        yield f"{_list(absent)} {'is' if len(absent) == 1 else 'are'} in one only, and not needed to compute."
    if difference.fields:
        yield f"The configs differ only in what training reads: {_list([one.name for one in difference.fields])}."


def _changed(shared: Sequence[TensorChange]) -> Iterator[str]:
    if not shared:
        yield "No tensor can be compared with its counterpart."
        return
    changed = [one for one in shared if one.status == "changed"]
    if not changed:
        yield f"All {len(shared)} tensors that can be compared are equal."
        return
    yield f"{len(changed)} of {len(shared)} comparable tensors differ, together by {percent(relative_change(shared))}."
    parts = by_part(shared)
    still = [part for part, changes in parts.items() if all(one.status == "same" for one in changes)]
    named = [name for part, name in NAMES_OF_PARTS.items() if part in still]
    layers = [int(part.removeprefix("layer ")) for part in still if part.startswith("layer ")]
    if named or layers:
        yield f"Unchanged: {', '.join([*named, *([_ranges(layers)] if layers else [])])}."


def _layers(shared: Sequence[TensorChange]) -> Iterator[str]:
    moved = {
        int(part.removeprefix("layer ")): relative_change(changes) or 0.0
        for part, changes in by_part(shared).items()
        if part.startswith("layer ")
    }
    largest = max(moved.values(), default=0.0)
    if largest == 0:
        return
    most = [layer for layer, change in moved.items() if change >= MOST * largest]
    if len(most) == len(moved) > 1:
        yield f"All layers moved alike ({percent(min(moved.values()))} to {percent(largest)})."
    elif len(moved) > 1:
        size = f"{'up to ' if len(most) > 1 else ''}{percent(largest)}"
        name = _ranges(most)
        yield f"{name[0].upper()}{name[1:]} moved most ({size})."
    roles: dict[str, list[TensorChange]] = {}
    for one in shared:
        if one.place.part.startswith("layer "):
            roles.setdefault(one.place.role, []).append(one)
    changes = {role: relative_change(ones) or 0.0 for role, ones in roles.items()}
    role = max(changes, key=changes.__getitem__)
    yield f"Within the layers, {role} moved most ({percent(changes[role])})."


def _not_comparable(tensors: Iterable[TensorChange]) -> Iterator[str]:
    texts = {
        "only in a": "only in A", "only in b": "only in B",
        "other shape": "of another shape", "not finite": "not comparable, for it holds NaN or infinity",
    }  # fmt: skip
    for status, text in texts.items():
        if names := [one.name for one in tensors if one.status == status]:
            yield f"{len(names)} {'tensor is' if len(names) == 1 else 'tensors are'} {text}: {_list(names)}."


def _config(difference: "Difference") -> Iterator[str]:
    if fields := [one for one in difference.fields if not one.is_for_training_only]:
        yield f"The configs differ in {_list([f'{one.name} ({one.value_a!r}, {one.value_b!r})' for one in fields])}."


def _behaviour(behaviour: Behaviour) -> Iterator[str]:
    if behaviour.has_equal_depth:
        cka = np.diagonal(behaviour.cka)
        lowest = int(np.nanargmin(cka)) if np.isfinite(cka).any() else 0
        yield f"On {behaviour.clip!r} their states are least alike {_state(lowest)} (CKA {_cka(cka[lowest])})."
    elif behaviour.cka.size:
        last = int(np.nanargmax(np.nan_to_num(behaviour.cka[-1], nan=-1)))
        yield f"What leaves A's last layer is most like B's state {_state(last)} (CKA {_cka(behaviour.cka[-1, last])})."
    if behaviour.divergence is not None:
        yield from _attention(behaviour.divergence)


def _attention(divergence: Divergence) -> Iterator[str]:
    mean = float(divergence.total.mean())
    if mean < UNCHANGED_DIVERGENCE:
        yield "Their attention is the same."
        return
    layer, head = np.unravel_index(int(divergence.total.argmax()), divergence.total.shape)
    content, position = divergence.content, divergence.position
    yield (
        f"Their attention parts by {_bits(mean)} bits of 1 on average, {_cause(content.mean(), position.mean())}; most "
        f"at layer {layer} head {head} ({_bits(divergence.total[layer, head])} bits), "
        f"{_cause(content[layer, head], position[layer, head])}."
    )


def _cause(content: float, position: float) -> str:
    """Say which of the two parts of the logits does more when it alone is exchanged."""
    if max(content, position) <= 2 * min(content, position):
        return f"by content and position alike ({_bits(content)} and {_bits(position)} alone)"
    more, less = ("content", "position") if content > position else ("position", "content")
    return f"mostly by {more} ({_bits(max(content, position))} alone, {less} {_bits(min(content, position))})"


def _cka(number: float) -> str:
    return "above 0.999" if number >= 0.9995 else f"{number:.3f}"


def _bits(number: float) -> str:
    return f"{number:.2g}"


def _state(index: int) -> str:
    return "where they enter layer 0" if index == 0 else f"where they leave layer {index - 1}"


def _list(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + rest


def _ranges(layers: Sequence[int]) -> str:
    """Write "layers 0, 8 to 11" of [0, 8, 9, 10, 11]."""
    runs: list[list[int]] = []
    for layer in sorted(layers):
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    names = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"layer{'' if len(layers) == 1 else 's'} {', '.join(names)}"
