"""Ways in which a checkpoint goes wrong: each spoils one thing, and names the check that has to find it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]
Spoil = Callable[[dict[str, Any], State], None]
CORRUPTIONS: dict[str, tuple[str, Spoil]] = {}

LAYER = "encoder.layers.{}."
ATTENTION = LAYER + "self_attn."
TABLE = "encoder.layers.0.self_attn.relative_attention_bias.weight"


def corruption(check: str) -> Callable[[Spoil], Spoil]:
    """Register a function that spoils (cfg, state) in place, and the check that must name it."""

    def register(spoil: Spoil) -> Spoil:
        CORRUPTIONS[spoil.__name__] = (check, spoil)
        return spoil

    return register


def head_of(state: State, name: str, head: int, num_heads: int = 6) -> Tensor:
    """The rows (of the output projection, the columns) of one head, as a view."""
    weight = state[name]
    weight = weight.T if "out_proj" in name else weight
    return weight.unflatten(0, (num_heads, -1))[head]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drop(state: State, prefix: str) -> None:
    for name in [name for name in state if name.startswith(prefix)]:
        del state[name]
