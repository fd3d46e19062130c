"""diff: from two sources to what lies between them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..audio import Audio
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.errors import CheckpointError
from ..checkpoints.loading import load_model
from ..checkpoints.reading import CheckpointSource, read_checkpoint
from ..config import FIELD_NAMES, WavLMConfig
from ..samples import load_sample
from .behaviour import Behaviour, compare_behaviour
from .difference import Difference, FieldDifference, Side
from .tensors import compare_tensors

DEFAULT_SAMPLE = "sentence"


@torch.no_grad()
def diff(
    a: CheckpointSource,
    b: CheckpointSource,
    audio: Audio | None = None,
    progress: Callable[[float], object] | None = None,
    **overrides: Any,
) -> Difference:
    """Compare two checkpoints, of whatever layouts: their tensors, their configs, and what they make of one clip.

    a, b: whatever `load_model` takes. audio: the clip; None takes the bundled sentence.
    progress: called with the share done, 0 to 1. overrides: fields of both configs, whatever the files say.

    A checkpoint that is not whole is compared tensor by tensor, as far as it goes.

    Raises: FileNotFoundError; CheckpointError for what holds no WavLM at all.
    """
    report = progress or (lambda _: None)
    one, other = (_read(source, overrides) for source in (a, b))
    report(0.1)
    tensors = compare_tensors(one.tensors, other.tensors)
    report(0.3)
    behaviour, reason = _try_behaviour(one, other, audio, lambda share: report(0.3 + 0.7 * share))
    return Difference(
        _side(one),
        _side(other),
        tensors,
        compare_fields(one, other),
        behaviour,
        reason,
        frozenset({*one.account.filled, *other.account.filled}),
    )


def _read(source: CheckpointSource, overrides: dict[str, Any]) -> Checkpoint:
    """Read one of the two; an error says which of them it was."""
    try:
        return read_checkpoint(source, **overrides)
    except CheckpointError as error:
        name = source if isinstance(source, str | Path) else type(source).__name__
        raise CheckpointError(f"{name}: {error}") from None


def _try_behaviour(
    a: Checkpoint, b: Checkpoint, audio: Audio | None, progress: Callable[[float], object]
) -> tuple[Behaviour | None, str]:
    try:
        models = load_model(a), load_model(b)
        return compare_behaviour(*models, load_sample(DEFAULT_SAMPLE) if audio is None else audio, progress), ""
    except (CheckpointError, ValueError, MemoryError) as error:
        return None, str(error)


def _side(checkpoint: Checkpoint) -> Side:
    unexpected = dict.fromkeys(checkpoint.account.unexpected, "unexpected")
    left_out = {**checkpoint.account.ignored, **unexpected}
    return Side(checkpoint.name, checkpoint.layout, checkpoint.head, left_out, tuple(checkpoint.problems))


def compare_fields(a: Checkpoint, b: Checkpoint) -> tuple[FieldDifference, ...]:
    """Only where both have a config: what is wrong with one that has none is the doctor's to say."""
    if a.config is None or b.config is None:
        return ()
    return tuple(
        FieldDifference(
            name, getattr(a.config, name), getattr(b.config, name),
            a.fields.get(name, "assumed"), b.fields.get(name, "assumed"),
        )
        for name in FIELD_NAMES
        if _meaning(a.config, name) != _meaning(b.config, name)
    )  # fmt: skip


def _meaning(config: WavLMConfig, name: str) -> Any:
    """The same convolutions can be written in more than one way."""
    return config.conv_layers if name == "conv_feature_layers" else getattr(config, name)
