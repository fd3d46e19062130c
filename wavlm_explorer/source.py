"""Where a model's weights come from, and how each field of its config is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Provenance = Literal["read", "inferred", "assumed", "overridden"]


@dataclass(frozen=True)
class Source:
    """The origin of a model.

    `fields` says of each field of the config whether it was read from the source, inferred from the shapes of its
    tensors, assumed (the source is silent, and shapes do not tell), or overridden by the caller. `digest` names the
    weights and config: equal digests, equal models. `ignored` lists tensors that were left out, with the reason;
    `filled` those that were absent, with what stands for them. A model that was built in code, not loaded, has the
    defaults.
    """

    name: str = "a WavLM built in code"
    format: Literal["microsoft", "huggingface", "torchaudio", "code"] = "code"
    digest: str = ""
    fields: Mapping[str, Provenance] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    filled: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what was converted on the way
