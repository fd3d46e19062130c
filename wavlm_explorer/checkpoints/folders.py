"""Folders of Hugging Face: a config, weights in one file or in shards, and what the input should be like."""

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from .contents import Contents
from .errors import CheckpointError
from .files import read_file
from .safetensor_files import MAX_JSON, parse_json

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
FILE_NAME = re.compile(r"[\w.-]+\.(safetensors|bin)")  # without a way out of the folder
SHARD = re.compile(r".*-\d+-of-\d+\.(safetensors|bin)")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def folder_of(path: Path) -> Path | None:
    """The folder of Hugging Face that a path means: itself, or that of its config, weights or one of its shards."""
    if path.is_dir():
        return path
    folder = path.parent
    if path.name == CONFIG or (path.name in WEIGHTS and (folder / CONFIG).is_file()):
        return folder
    indices = [folder / name for name in WEIGHTS if name.endswith(".index.json")]
    if path in indices:
        return folder
    is_listed = SHARD.fullmatch(path.name) and any(path.name in _shards(index) for index in indices if index.is_file())
    return folder if is_listed else None


def read_folder(folder: Path, name: str) -> Contents:
    """Read the weights, the config and the preprocessor's config in a folder.

    Raises: CheckpointError.
    """
    weights = next((folder / weights for weights in WEIGHTS if (folder / weights).is_file()), None)
    if weights is None:
        found = sorted(path.name for path in folder.iterdir())
        checkpoints = [file for file in found if Path(file).suffix in (".pt", ".pth", ".ckpt", ".th", ".bin")]
        shown = checkpoints or found
        raise CheckpointError(
            f"Expected {' or '.join(WEIGHTS[::2])} in the folder {name}, as Hugging Face names them. Found: "
            f"{', '.join(shown[:8]) or 'nothing'}{f' and {len(shown) - 8} more' if len(shown) > 8 else ''}. "
            + ("Open one of these files itself." if checkpoints else "Open the folder that holds the weights.")
        )
    index = _shards(weights) if weights.name.endswith(".index.json") else {}
    files = [folder / shard for shard in index] or [weights]
    gone = [file.name for file in files if not file.is_file()]
    if gone:
        raise CheckpointError(f"{weights.name} names files that are not in the folder: {_some(gone)}. Fetch them too.")
    tensors: dict[str, Tensor] = {}
    metadata: dict[str, str] = {}
    foreign: dict[str, None] = {}
    for file in files:
        contents = read_file(file, file.name)
        found = _flat(contents)
        if index:
            _check_shard(weights.name, file.name, set(index[file.name]), set(found))
        tensors |= found
        metadata |= contents.metadata
        foreign |= dict.fromkeys(contents.foreign)
    return Contents(
        name=name,
        container="Hugging Face folder",
        values=tensors,
        config=_read_json(folder / CONFIG),
        preprocessor=_read_json(folder / PREPROCESSOR),
        num_bytes=sum(file.stat().st_size for file in files),
        foreign=tuple(foreign),
        metadata=metadata,
    )


def _check_shard(index: str, shard: str, listed: set[str], found: set[str]) -> None:
    """Raises: CheckpointError unless a shard has the tensors that the index places in it, and no others."""
    if lost := sorted(listed - found):
        raise CheckpointError(f"{index} says that {shard} has {_some(lost)}; it has not.")
    if beyond := sorted(found - listed):
        raise CheckpointError(f"{shard} has {_some(beyond)}, which {index} does not place there. Fetch both again.")


def _flat(contents: Contents) -> dict[str, Tensor]:
    if not isinstance(contents.values, dict) or not all(isinstance(v, Tensor) for v in contents.values.values()):
        raise CheckpointError(f"Expected {contents.name} to be a state dict, names with tensors, and nothing else.")
    return {str(name): tensor for name, tensor in contents.values.items()}


def _shards(index: Path) -> dict[str, list[str]]:
    """Read an index: file of a shard -> names of the tensors in it.

    Raises: CheckpointError, also for a file that is not plainly a name in the same folder.
    """
    placed = (_read_json(index) or {}).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise CheckpointError(f"Expected a weight_map in {index.name}; there is none. Fetch it again.")
    shards: dict[str, list[str]] = {}
    for tensor, file in placed.items():
        if not (isinstance(file, str) and FILE_NAME.fullmatch(file)):
            raise CheckpointError(f"{index.name} places {tensor[:100]} in {str(file)[:100]!r}, which is no file name.")
        shards.setdefault(file, []).append(tensor)
    return shards


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return parse_json(file.read(MAX_JSON + 1), path.name)


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:100] for name in names[:4])
    return shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")
