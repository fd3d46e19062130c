"""A checkpoint that somebody has chosen: what it is called, and how it is opened when it is needed."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..checkpoints import CheckpointError
from ..checkpoints.folders import CONFIG, PREPROCESSOR
from ..checkpoints.opening import open_contents
from ..checkpoints.reading import CheckpointSource
from ..checkpoints.safetensor_files import parse_json
from .folders import name_of

BUNDLED = "nano"


@dataclass(frozen=True)
class Reference:
    """A checkpoint by reference. Equal keys mean equal content; `name` is what its visitor calls it.

    `open` returns what `load_model`, `doctor` and `diff` take; it raises CheckpointError or OSError.
    """

    name: str
    key: str
    open: Callable[[], CheckpointSource]


def refer_to_bundled() -> Reference:
    """Refer to the model that comes with the toolkit."""
    return Reference(BUNDLED, BUNDLED, lambda: BUNDLED)


def refer_to_path(path: Path, name: str = "") -> Reference:
    """Refer to a file or a folder on this machine; another size or time of change is another content.

    Raises: OSError.
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    states = [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    key = hashlib.blake2b("\n".join([str(path.resolve()), *states]).encode(), digest_size=16).hexdigest()
    return Reference(name or name_of(path), key, lambda: open_contents(path, name) if name else path)


def refer_to_upload(files: Sequence[tuple[str, bytes]]) -> Reference:
    """Refer to what was dropped into the page: a checkpoint and perhaps its two configs; of each kind the last counts.

    Raises: CheckpointError where there is no checkpoint among them.
    """
    weights = [file for file in files if not file[0].endswith(".json")]
    configs = {_kind_of(name): (name, content) for name, content in files if name.endswith(".json")}
    if not weights:
        raise CheckpointError(
            f"Expected a checkpoint; found {' and '.join(name for name, _ in files)} alone. Drop the file with the "
            "weights beside it: model.safetensors or pytorch_model.bin."
        )
    name, content = weights[-1]
    used = [(name, content), *configs.values()]
    digest = hashlib.blake2b(digest_size=16)
    for label, part in used:
        digest.update(f"{_kind_of(label)} {len(part)} ".encode())
        digest.update(part)
    return Reference(name, digest.hexdigest(), lambda: _open_upload(name, content, configs))


def _kind_of(name: str) -> str:
    if not name.endswith(".json"):
        return "weights"
    return PREPROCESSOR if "preprocessor" in name else CONFIG


def _open_upload(name: str, content: bytes, configs: dict[str, tuple[str, bytes]]) -> CheckpointSource:
    file = io.BytesIO(content)
    file.name = name
    if not configs:
        return file
    read = {kind: parse_json(text, called) for kind, (called, text) in configs.items()}
    return replace(open_contents(file, name), config=read.get(CONFIG), preprocessor=read.get(PREPROCESSOR))
