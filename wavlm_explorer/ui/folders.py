"""The folders whose checkpoints may be opened by path: those that the server's owner has named, and no others."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..checkpoints.folders import CONFIG, WEIGHTS

FOLDERS_VARIABLE = "WAVLM_EXPLORER_FOLDERS"  # folders, separated as in PATH
ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".th", ".safetensors")
MAX_DEPTH = 6
MAX_LOOKED_AT = 5000  # files and folders
MAX_LISTED = 500


def allowed_folders() -> list[Path]:
    """Return the folders that the owner has named, where they are."""
    named = os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)
    return [folder for name in named if name and (folder := Path(name).expanduser().resolve()).is_dir()]


def list_checkpoints() -> list[str]:
    """Name what lies in the allowed folders and looks like a checkpoint, as `find_allowed` takes it."""
    paths = (path for folder in allowed_folders() for path in _walk(folder))
    return sorted({name_of(path) for path, _ in zip(paths, range(MAX_LISTED), strict=False) if _is_allowed(path)})


def find_allowed(name: str) -> Path:
    """Turn a name from the list, or a path that somebody typed, into the path of what may be opened.

    Raises: ValueError for what lies elsewhere, also by way of `..` or a symbolic link, or is not there. Which of the
    two it is remains untold: the page is no way to find out what else is on this machine.
    """
    for folder in allowed_folders():
        for path in [folder.parent / name, folder / name] if _are_many() else [folder / name]:
            if _is_allowed(path) and all(_is_allowed(file) for file in _read_along(path)):
                return path
    folders = " or ".join(folder.name for folder in allowed_folders()) or "an allowed folder"
    raise ValueError(
        f"{name}: there is no such file or folder in {folders}, or it leads out of there. Choose one from the list; "
        "the server's owner can allow another folder."
    )


def _read_along(path: Path) -> list[Path]:
    """List what is read together with a path: the other files of its Hugging Face folder."""
    folder = path if path.is_dir() else path.parent
    return [file for file in folder.iterdir() if file.suffix in (".json", ".safetensors", ".bin")]


def name_of(path: Path) -> str:
    """Name a path within its folder, and with the folder's own name where there are several."""
    folder = next(folder for folder in allowed_folders() if path.is_relative_to(folder))
    return path.relative_to(folder.parent if _are_many() else folder).as_posix()


def _are_many() -> bool:
    return len(allowed_folders()) > 1


def _is_allowed(path: Path) -> bool:
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # absent; a loop of links; a null character
        return False
    return any(real != folder and real.is_relative_to(folder) for folder in allowed_folders())


def _walk(folder: Path) -> Iterator[Path]:
    """Yield files by their ending and Hugging Face folders as a whole; neither hidden folders nor links to folders."""
    looked_at = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if len(here.relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        looked_at += 1 + len(files)
        if looked_at > MAX_LOOKED_AT:
            return
        is_whole = here != folder and CONFIG in files and any(weights in files for weights in WEIGHTS)
        if is_whole:
            yield here
        yield from (here / name for name in sorted(files) if name.endswith(ENDINGS) and not is_whole)
