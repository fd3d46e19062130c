"""Two checkpoints laid side by side: what `diff` returns."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .behaviour import Behaviour
from .summary import summarise
from .tensors import TensorChange, by_part, by_place, relative_change

# Fields of the config that only training reads: where nothing else differs, both models compute the same.
TRAINING_FIELDS = frozenset({
    "activation_dropout", "attention_dropout", "dropout", "dropout_features", "dropout_input", "encoder_layerdrop",
    "feature_grad_mult", "mask_channel_length", "mask_channel_min_space", "mask_channel_other", "mask_channel_prob",
    "mask_channel_selection", "mask_length", "mask_min_space", "mask_other", "mask_prob", "mask_selection",
    "no_mask_channel_overlap", "no_mask_overlap",
})  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One of the two checkpoints. `left_out`: the file's tensors that are no part of the encoder -> why."""

    name: str
    layout: str
    head: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldDifference:
    """A field of the config that differs; `how_*` says whether it was read, inferred, assumed or overridden."""

    name: str
    value_a: Any
    value_b: Any
    how_a: str
    how_b: str

    @property
    def is_for_training_only(self) -> bool:
        """Whether the field changes nothing that a model in eval mode computes."""
        return self.name in TRAINING_FIELDS


@dataclass(frozen=True)
class Difference:
    """What lies between checkpoint a and checkpoint b: tensors, config, and behaviour on one clip."""

    a: Side
    b: Side
    tensors: tuple[TensorChange, ...]
    fields: tuple[FieldDifference, ...]
    behaviour: Behaviour | None
    no_behaviour: str = ""  # why there is none
    optional: frozenset[str] = frozenset()  # tensors that may be absent, such as the embedding of masked frames

    @property
    def is_same(self) -> bool:
        """Whether both compute the same: equal tensors, and a config that differs in what only training reads."""
        tensors = all(one.status == "same" or self._may_be_absent(one) for one in self.tensors)
        return tensors and all(one.is_for_training_only for one in self.fields)

    @property
    def exit_code(self) -> int:
        """0 for the same, 1 for different: as of the command `diff`."""
        return 0 if self.is_same else 1

    @property
    def summary(self) -> str:
        """A few sentences, made of the numbers."""
        return summarise(self)

    def _may_be_absent(self, change: TensorChange) -> bool:
        return change.status in ("only in a", "only in b") and change.name in self.optional

    def to_json(self) -> str:
        """All numbers as JSON text; a number that has no meaning is null."""
        everything = {
            "summary": self.summary,
            "same": self.is_same,
            "a": dataclasses.asdict(self.a),
            "b": dataclasses.asdict(self.b),
            "config": [dataclasses.asdict(one) | {"training_only": one.is_for_training_only} for one in self.fields],
            "parts": {part: relative_change(changes) for part, changes in by_part(self.tensors).items()},
            "places": [
                {"part": place.part, "role": place.role, "relative_change": relative_change(changes)}
                for place, changes in by_place(self.tensors).items()
            ],
            "tensors": [dataclasses.asdict(one) | {"place": one.place._asdict()} for one in self.tensors],
            "behaviour": None if self.behaviour is None else dataclasses.asdict(self.behaviour),
            "no_behaviour": self.no_behaviour,
        }
        return json.dumps(_plain(everything), indent=2, allow_nan=False)

    def to_html(self) -> str:
        """One self-contained page with the pictures."""
        from .page import make_page  # matplotlib is imported when somebody draws

        return make_page(self)


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it knows."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
