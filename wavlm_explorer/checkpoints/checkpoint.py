"""A checkpoint as it was found, in the original's names, with every tensor accounted for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from ..config import WavLMConfig
from ..source import Provenance
from .contents import Contents

Layout = Literal["microsoft", "huggingface", "torchaudio"]


@dataclass(frozen=True)
class Account:
    """What became of each tensor.

    Keys of `used`, `filled`, `missing` and `wrong_shape` are the original's names, those of `ignored` and `unexpected`
    the file's. Every tensor of the file is in `used` (among the values), in `ignored` or in `unexpected`.
    """

    used: Mapping[str, tuple[str, ...]]  # original's name -> the file's names that it is made of
    filled: Mapping[str, str]  # original's name -> why it may be absent, and what stands for it
    ignored: Mapping[str, str]  # file's name -> the reason
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shape: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # original's name -> (expected, found)

    @property
    def is_whole(self) -> bool:
        """Whether a model can be made of the tensors."""
        return not (self.missing or self.unexpected or self.wrong_shape)


@dataclass(frozen=True)
class Checkpoint:
    """What `read_checkpoint` finds in a source: nothing is refused yet that a doctor could explain.

    `tensors` has the original's names and the file's values and dtypes, those of unexpected shape included. `config` is
    None when no config can be made; `problems` then says why. `shapes_say` are the fields of a config as the tensors'
    shapes tell them, whatever the file's own config claims: where the two differ, the config contradicts the shapes.
    `config_says` are the fields that the file's own config tells, under the original's names; `cfg` is that config
    as it lies in the file.
    """

    contents: Contents
    layout: Layout
    prefix: str  # what the file writes before every name, such as "wavlm." or "module."
    where: str  # the place of the tensors in the file, such as "model" or "state_dict"; empty at the top
    head: str  # what task the file's head is for, such as "CTC"; empty without one
    config: WavLMConfig | None
    fields: Mapping[str, Provenance]
    shapes_say: Mapping[str, Any]
    config_says: Mapping[str, Any]
    cfg: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    account: Account
    overrides: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()  # what makes it unloadable beside the account: in words
    notes: tuple[str, ...] = ()  # what was converted on the way, such as a folded weight norm that was split again
    copies: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)  # further encoders, such as EMA copies

    @property
    def name(self) -> str:
        """The name of the file, folder or object."""
        return self.contents.name
