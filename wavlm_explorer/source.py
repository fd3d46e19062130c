"""Where a model's weights come from, and how each field of its config is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Provenance = Literal["read", "assumed", "overridden"]


@dataclass(frozen=True)
class Source:
    """The origin of a model.

    `fields` says of each field of the config whether it was read from the file, assumed (the original's default,
    because the file is silent), or overridden by the caller. `digest` names the weights and config: equal digests,
    equal models. `ignored` lists tensors that were left out knowingly. A model that was built in code, not loaded, has
    the defaults.
    """

    name: str = "a WavLM built in code"
    format: Literal["microsoft", "code"] = "code"
    digest: str = ""
    fields: Mapping[str, Provenance] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
