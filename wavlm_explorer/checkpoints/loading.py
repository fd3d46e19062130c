"""load_model: from a name, a path or a file object to a WavLM that is ready to trace."""

import dataclasses
import hashlib
import io
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..config import FIELD_NAMES, WavLMConfig
from ..source import Provenance, Source
from ..wavlm import WavLM
from .errors import CheckpointError
from .microsoft import PRE_TRAINING_KEYS, check_layers, check_values, read_microsoft

BUNDLED = {"nano": "nano/nano.pt"}  # name -> file under assets/


def load_model(source: str | Path | bytes | BinaryIO, device: str = "auto", **overrides: Any) -> WavLM:
    """Load a WavLM: in eval mode, in float32, on `device`.

    source: "nano" (bundled), or a checkpoint in the original's layout: a path, its bytes or a binary file object.
    device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
    overrides: fields of the config to set whatever the file says, such as normalize=True or max_distance=800.

    The result's `config` is a WavLMConfig; its `source` says where the weights come from and how each field is known.

    Raises: FileNotFoundError; CheckpointError for a file that is not wholly a WavLM; TypeError for an override that is
    no field; ValueError for one that makes no sense, or a device that is not there.
    """
    unknown = sorted(set(overrides) - set(FIELD_NAMES))
    if unknown:
        raise TypeError(f"load_model: {', '.join(unknown)} is no field of WavLMConfig; known: {', '.join(FIELD_NAMES)}")
    where = resolve_device(device)
    if isinstance(source, str) and source in BUNDLED:
        with as_file(files("wavlm_explorer") / "assets" / BUNDLED[source]) as path:
            model = _load_file(path, source, overrides)
    elif isinstance(source, str | Path):
        path = Path(source).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"No checkpoint at {path}. Expected one of {', '.join(BUNDLED)}, or the path of a .pt file in the "
                "original's layout (WavLM-Base.pt, WavLM-Base+.pt, WavLM-Large.pt)."
            )
        model = _load_file(path, path.name, overrides)
    else:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        model = _load_file(file, Path(getattr(file, "name", "checkpoint")).name, overrides)
    return model.to(where)


def available_devices() -> list[str]:
    """Return the names of the devices that are there, the CPU first."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def resolve_device(device: str) -> torch.device:
    """Turn "auto" or a device's name into a device that is there.

    Raises: ValueError naming the devices that are there.
    """
    available = available_devices()
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if name in available))
    if device not in available:
        raise ValueError(f"device: expected auto or one of {', '.join(available)}; found {device!r}")
    return torch.device(device)


def _load_file(file: Path | BinaryIO, name: str, overrides: Mapping[str, Any]) -> WavLM:
    cfg, state = read_microsoft(file)
    try:
        config = WavLMConfig.from_dict(cfg)
    except ValueError as error:
        raise CheckpointError(f"The checkpoint's config makes no sense: {error}") from None
    config = dataclasses.replace(config, **overrides)
    check_layers(config.encoder_layers, state)
    fields: dict[str, Provenance] = {name: "read" if name in cfg else "assumed" for name in FIELD_NAMES}
    fields |= dict.fromkeys(overrides, "overridden")
    ignored = tuple(name for name in state if PRE_TRAINING_KEYS.match(name))
    model = _assemble(config, {name: tensor for name, tensor in state.items() if name not in ignored})
    model.source = Source(name, "microsoft", _digest(model), fields, ignored)
    return model


def _assemble(config: WavLMConfig, state: Mapping[str, Tensor]) -> WavLM:
    """Fill a model with tensors; it is built without memory first, so that none is spent on what does not fit."""
    try:
        with torch.device("meta"):
            model = WavLM(config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"The checkpoint's config describes no WavLM: {error}") from None
    expected = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: list(tensor.shape) for name, tensor in state.items()}
    problems = [f"missing {name}" for name in expected if name not in found]
    problems += [f"unexpected {name}" for name in found if name not in expected]
    problems += [
        f"{name}: expected {shape}, found {found[name]}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    if problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise CheckpointError(f"The checkpoint's tensors are not those that its config describes: {shown}.")
    check_values(state)
    weights = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _digest(model: WavLM) -> str:
    digest = hashlib.blake2b(repr(model.config).encode(), digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy())
    return digest.hexdigest()
