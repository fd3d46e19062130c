"""What a file, a folder or a live object holds, before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Container = Literal["torch archive", "legacy torch file", "safetensors", "Hugging Face folder", "live object"]


class Placeholder:
    """What stands where a file holds a Python object that is no tensor and no plain value.

    It has the object's class as a name and what was stored with it as data; nothing of the class is imported or called.
    `arguments` is what its constructor would have been given (keywords as a dictionary at the end), `state` what would
    have become its attributes, `items` what would have been added to it: of a dictionary, pairs of key and value.
    """

    __slots__ = ("arguments", "items", "name", "state")

    def __init__(self, name: str) -> None:
        self.name = name  # "argparse.Namespace"
        self.arguments: tuple[Any, ...] = ()
        self.state: Any = None
        self.items: list[Any] = []

    def __repr__(self) -> str:
        return f"<{self.name}, not loaded>"


@dataclass(frozen=True)
class Contents:
    """Tensors and plain values as they lie in a source, safely read.

    `values` is what the file holds: tensors, plain values, lists, tuples and dictionaries of these, nested, and a
    Placeholder for everything else; for safetensors and Hugging Face folders a flat dictionary name -> tensor. Tensors
    of a file on disk are views of its memory map: they cost nothing until they are used. What a placeholder holds can
    lead back to itself, as an object can.
    `config` and `preprocessor` are `config.json` and `preprocessor_config.json` of a Hugging Face folder.
    `foreign` names the classes that placeholders stand for.
    """

    name: str
    container: Container
    values: Any
    config: Mapping[str, Any] | None = None
    preprocessor: Mapping[str, Any] | None = None
    num_bytes: int = 0
    foreign: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)  # of a safetensors header
