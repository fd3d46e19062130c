"""Where in a file the encoder's tensors lie: training code wraps them in many ways."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..config import FIELD_NAMES
from .checkpoint import Layout
from .contents import Placeholder
from .errors import CheckpointError
from .layouts import original_name, recognise

MAX_DEPTH = 8
MAX_NODES = 200_000
FEWEST_NAMES = 5  # recognised names that make a dictionary of tensors an encoder
FEWEST_FIELDS = 4  # fields of a WavLMConfig that make a dictionary a config
COPY_WORDS = ("ema", "teacher", "target", "swa", "optim", "average", "shadow")


@dataclass(frozen=True)
class Encoder:
    """A dictionary of tensors in which names of a WavLM were recognised, and how."""

    where: str  # "model", "state_dict", "" at the top
    state: Mapping[str, Tensor]
    layout: Layout
    prefix: str
    num_recognised: int
    no_tensors: tuple[str, ...]  # names of tensors under which something else lies

    @property
    def is_copy(self) -> bool:
        """Whether its place or its prefix says that it is an average or a teacher, not the model itself."""
        place = f"{self.where}.{self.prefix}".lower()
        return any(word in place for word in COPY_WORDS)


def dictionaries(values: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk over all dictionaries in what a file holds, with the path to each; what objects hold is walked too.

    Raises: CheckpointError for a file with far more in it than any checkpoint has.
    """
    seen: set[int] = set()
    num_nodes = 0
    rest: list[tuple[str, Any, int]] = [("", values, 0)]
    while rest:
        path, value, depth = rest.pop(0)
        if depth > MAX_DEPTH or id(value) in seen or not isinstance(value, Mapping | Placeholder | list | tuple):
            continue
        seen.add(id(value))
        if isinstance(value, Placeholder):
            value = plain(value)
        if isinstance(value, Mapping):
            yield path, value
            inside: list[tuple[Any, Any]] = list(value.items())
        elif isinstance(value, Sequence):
            inside = list(enumerate(value))
            if any(isinstance(child, Tensor) for child in value):
                yield path, dict(inside)
        else:
            continue
        num_nodes += len(inside)
        if num_nodes > MAX_NODES:
            raise CheckpointError(f"The file holds more than {MAX_NODES:,} things: that is no checkpoint of a WavLM.")
        start = f"{path}." if path else ""
        rest += [(f"{start}{key}", child, depth + 1) for key, child in inside if not isinstance(child, Tensor)]


def plain(thing: Placeholder) -> Any:
    """Return what an object held as plain values: its attributes, what a dictionary kept, or its one argument.

    A whole PyTorch module that was pickled becomes its state dict.
    """
    state = thing.state
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Mapping):
        state = state[1]  # attributes kept in slots
    if isinstance(state, Mapping) and {"_modules", "_parameters"} <= state.keys():
        return dict(_module_tensors(state, ""))
    if thing.items and all(isinstance(item, tuple) and len(item) == 2 for item in thing.items):
        return dict(thing.items)
    if isinstance(state, Mapping):
        return state
    return thing.arguments[0] if len(thing.arguments) == 1 else None


def _module_tensors(state: Mapping[str, Any], prefix: str, depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    for kind in ("_parameters", "_buffers"):
        tensors = state.get(kind)
        if isinstance(tensors, Mapping):
            yield from ((f"{prefix}{name}", tensor) for name, tensor in tensors.items() if isinstance(tensor, Tensor))
    modules = state.get("_modules")
    if isinstance(modules, Mapping) and depth < 4 * MAX_DEPTH:
        for name, module in modules.items():
            if isinstance(module, Placeholder) and isinstance(module.state, Mapping):
                yield from _module_tensors(module.state, f"{prefix}{name}.", depth + 1)


def find_encoders(values: Any) -> list[Encoder]:
    """Find every WavLM in what a file holds, the one to use first; further ones are EMA copies or teachers."""
    encoders = []
    for where, dictionary in dictionaries(values):
        state = {str(name): tensor for name, tensor in dictionary.items() if isinstance(tensor, Tensor)}
        votes = recognise(state)
        most = max(votes.values(), default=0)
        encoders += [
            Encoder(where, state, layout, prefix, count, _no_tensors(dictionary, layout, prefix))
            for (layout, prefix), count in votes.items()
            if count >= max(FEWEST_NAMES, most / 2)
        ]
    most = max((encoder.num_recognised for encoder in encoders), default=0)
    encoders = [encoder for encoder in encoders if encoder.num_recognised >= 0.8 * most]
    return sorted(encoders, key=lambda encoder: (encoder.is_copy, -encoder.num_recognised))


def _no_tensors(dictionary: Mapping[str, Any], layout: Layout, prefix: str) -> tuple[str, ...]:
    return tuple(
        str(name)
        for name, value in dictionary.items()
        if not isinstance(value, Tensor) and original_name(str(name), layout, prefix)
    )


def find_config(values: Any) -> Mapping[str, Any]:
    """Find the dictionary with most fields of a WavLMConfig; "cfg" beside the tensors is one by its name.

    Empty when there is none. Enumeration members that were not loaded are replaced by their value.
    """
    best: Mapping[str, Any] = {}
    for path, dictionary in dictionaries(values):
        num_fields = sum(name in FIELD_NAMES for name in dictionary)
        enough = 1 if path == "cfg" else FEWEST_FIELDS
        if num_fields >= enough and num_fields > sum(name in FIELD_NAMES for name in best):
            best = dictionary
    return {
        str(name): plain(value) if isinstance(value, Placeholder) else value
        for name, value in best.items()
        if not isinstance(value, Tensor)
    }
