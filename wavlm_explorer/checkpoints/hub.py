"""Checkpoints by name: from the Hugging Face Hub into its cache on this machine, once."""

import io
import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .errors import CheckpointError
from .folders import CONFIG, PREPROCESSOR, WEIGHTS

NAMES = {"base": "microsoft/wavlm-base", "base-plus": "microsoft/wavlm-base-plus", "large": "microsoft/wavlm-large"}
SHARDS = {
    "model.safetensors.index.json": "model-*-of-*.safetensors",
    "pytorch_model.bin.index.json": "pytorch_model-*-of-*.bin",
}
MAX_BYTES = 20 * 2**30  # of one checkpoint; WavLM-Large has 1.3

Progress = Callable[[float, str], None]


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Download a checkpoint that is not in the cache yet, or has changed; return the folder that holds it.

    name: "base", "base-plus", "large", or "owner/name", with "@revision" for a branch, a tag or a commit.
    progress: called with the share that is there (0 to 1) and a text, perhaps from another thread; what it raises stops
    the download. Without it a bar is drawn in the terminal.

    Only the config and the weights are fetched, never code. A connection that breaks is taken up again where it broke;
    of a download that was stopped the files that were whole are kept. Without network, or with HF_HUB_OFFLINE=1, the
    cached files are used. Huggingface_hub is imported on the first call only, for it takes a while.

    Raises: CheckpointError for a name that leads to no checkpoint; ConnectionError (an OSError) when the Hub cannot be
    reached and the cache does not have it.
    """
    repository, revision = _parse(name)
    from huggingface_hub.errors import HTTPError

    try:
        sizes = _list_files(repository, revision)
    except (HTTPError, OSError, ValueError, KeyError) as error:  # of the last two: an answer that is not the Hub's
        folder = _find_cached(repository, revision)
        if folder is None:
            raise _explain(error, repository, revision) from None
        return folder
    files = _choose(repository, sizes)
    try:
        return _download(repository, revision, {file: sizes[file] for file in files}, progress)
    except (HTTPError, OSError) as error:
        raise _explain(error, repository, revision) from None


def find_cached(name: str) -> Path | None:
    """Return the folder of a checkpoint that `fetch` has brought before, without asking the network; else None.

    Raises: CheckpointError for what is no name.
    """
    return _find_cached(*_parse(name))


def _parse(name: str) -> tuple[str, str]:
    """Split a name into a repository of the Hub and a revision."""
    found = re.fullmatch(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", NAMES.get(name, name))
    if found is None or ".." in name or "--" in name:
        raise CheckpointError(
            f"Expected {', '.join(NAMES)}, or owner/name[@revision] of the Hugging Face Hub, such as "
            f"{NAMES['base']}; found {name[:100]!r}."
        )
    return found[1], found[2] or "main"


def _list_files(repository: str, revision: str) -> dict[str, int]:
    """Ask the Hub which files there are: name -> bytes."""
    from huggingface_hub import HfApi

    information = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=20)
    return {file.rfilename: file.size or 0 for file in information.siblings or ()}


def _find_cached(repository: str, revision: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for file in WEIGHTS:
        path = try_to_load_from_cache(repository, file, revision=revision)
        if isinstance(path, str):
            return Path(path).parent
    return None


def _choose(repository: str, sizes: dict[str, int]) -> list[str]:
    """Choose the files that a checkpoint needs: its configs, and its weights in the first form there is."""
    weights = next((file for file in WEIGHTS if file in sizes), None)
    if weights is None:
        shown = ", ".join(sorted(sizes)[:8])
        raise CheckpointError(f"{repository} has no {' or '.join(WEIGHTS[::2])}. It has: {shown or 'nothing'}.")
    shards = sorted(file for file in sizes if fnmatch(file, SHARDS.get(weights, "")) and "/" not in file)
    files = [*(file for file in (CONFIG, PREPROCESSOR) if file in sizes), weights, *shards]
    if sum(sizes[file] for file in files) > MAX_BYTES:
        raise CheckpointError(f"{repository} has more than {MAX_BYTES / 2**30:.0f} GiB of weights: this is no WavLM.")
    return files


def _download(repository: str, revision: str, sizes: dict[str, int], progress: Progress | None) -> Path:
    from huggingface_hub import hf_hub_download

    total, done, path = sum(sizes.values()) or 1, 0, ""
    for file, size in sizes.items():
        text = f"{file} of {repository}, {size / 1e6:,.1f} MB"
        bar = None
        if progress:
            progress(done / total, text)
            bar = _bar_class(lambda count, done=done, text=text: progress(min((done + count) / total, 1.0), text))
        path = hf_hub_download(repository, file, revision=revision, tqdm_class=bar)
        done += size
    if progress:
        progress(1.0, f"{repository} is on this machine")
    return Path(path).parent


def _bar_class(report: Callable[[float], None]) -> Any:
    """Make the class of a progress bar that draws nothing and reports how many bytes are there."""
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that watches it

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)  # of huggingface_hub's own bars
            super().__init__(*args, **options | {"file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            updated = super().update(n)
            report(self.n)
            return updated

    return Bar


def _explain(error: Exception, repository: str, revision: str) -> Exception:
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    address = f"{constants.ENDPOINT}/{repository}"
    token = "set HF_TOKEN or run `hf auth login` with a token that may read it"
    if isinstance(error, GatedRepoError):
        return CheckpointError(f"{repository} asks its users to agree to terms: do so at {address}, then {token}.")
    if isinstance(error, RepositoryNotFoundError):
        return CheckpointError(f"There is no {address}, or it is private. Check its name; if it is private, {token}.")
    if isinstance(error, RevisionNotFoundError):
        return CheckpointError(f"{address} has no revision {revision!r}. Leave out @{revision} for its main branch.")
    return ConnectionError(
        f"{repository} is not on this machine, and {constants.ENDPOINT} could not be reached or broke off "
        f"({type(error).__name__}). Try again when there is a network; or download "
        f"{CONFIG}, {PREPROCESSOR} and {WEIGHTS[0]} (or {WEIGHTS[2]}) by hand from {address}/tree/{revision} into one "
        "folder, and open that folder."
    )
