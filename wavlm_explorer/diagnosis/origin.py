"""Family: what else the file says. Foreign objects, heads, copies, conversions: mostly notes."""

from collections.abc import Iterator

import torch

from .check import Check, Problem, check, listing
from .subject import Subject

# Packages whose functions have no place in a file of weights: calling them is how a pickle attacks.
DANGEROUS_PACKAGES = {
    "aiohttp", "asyncio", "bdb", "cProfile", "code", "codeop", "commands", "ctypes", "http", "httplib", "importlib",
    "marshal", "multiprocessing", "nt", "os", "pdb", "pickle", "pip", "pkgutil", "popen2", "posix", "profile", "pty",
    "requests", "runpy", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "timeit",
    "trace", "urllib", "venv", "webbrowser", "zipimport",
}  # fmt: skip
DANGEROUS_NAMES = {
    "__import__", "apply", "breakpoint", "compile", "eval", "exec", "execfile", "getattr", "globals", "input", "open",
    "setattr", "delattr", "vars", "locals", "run", "runstring", "system", "popen", "spawn", "load_module",
    "methodcaller", "exec_command", "run_command", "unsafe_load", "load_url", "load_state_dict_from_url",
    "download_url_to_file",
}  # fmt: skip
# Packages whose classes training code is known to save beside the weights.
KNOWN_PACKAGES = {
    "accelerate", "argparse", "collections", "copyreg", "datetime", "decimal", "enum", "espnet", "fairseq", "functools",
    "lightning", "lightning_fabric", "lightning_utilities", "nemo", "numpy", "omegaconf", "pathlib", "peft",
    "pytorch_lightning", "s3prl", "speechbrain", "torch", "torchaudio", "torchmetrics", "transformers", "typing",
    "uuid",
}  # fmt: skip


def is_dangerous(name: str) -> bool:
    """Whether naming this in a pickle can only serve to run code."""
    package, _, rest = name.partition(".")
    return package in DANGEROUS_PACKAGES or bool(DANGEROUS_NAMES & set(rest.split(".")))


@check("error")
def code_in_file(subject: Subject) -> Iterator[Problem]:
    """The file does not try to run code: a pickle that names os.system, eval or a socket has no other purpose."""
    names = [name for name in subject.checkpoint.contents.foreign if is_dangerous(name)]
    if names:
        yield Problem(
            subject.checkpoint.name,
            f"The file names {listing(names)}, which ordinary loading would call. It was read as data, nothing ran.",
            "Do not open it with torch.load or pickle. Tell whoever published it; take the weights from elsewhere.",
        )


@check("warning")
def foreign_objects(subject: Subject) -> Iterator[Problem]:
    """What the file holds beside tensors and plain values comes from packages that training code is known to save."""
    names = [name for name in subject.checkpoint.contents.foreign if not is_dangerous(name)]
    strange = [name for name in names if name.partition(".")[0] not in KNOWN_PACKAGES]
    known = [name for name in names if name not in strange]
    if strange:
        yield Problem(
            subject.checkpoint.name,
            f"The file holds Python objects of unknown kinds: {listing(strange)}. They were not loaded.",
            "Ordinary loading would import and run that code. Convert the file to safetensors, then pass that on.",
        )
    if known:
        yield Problem(
            subject.checkpoint.name,
            f"The file holds objects of the code that trained it: {listing(known)}. They were read as data.",
            "It cannot be read with weights_only=True; `wavlm-explorer convert` makes a file that can.",
            "note",
        )


@check("note")
def ignored_tensors(subject: Subject) -> Iterator[Problem]:
    """Tensors beside the encoder, such as heads and optimiser states, are left out knowingly."""
    reasons: dict[str, list[str]] = {}
    for name, reason in subject.checkpoint.account.ignored.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield Problem(
            listing(names, 4), f"{len(names)} tensors were left out: {reason}.", "The encoder needs none of them."
        )


@check("note")
def filled_tensors(subject: Subject) -> Iterator[Problem]:
    """Tensors that may be absent are said to be."""
    for name, reason in subject.checkpoint.account.filled.items():
        yield Problem(name, f"Not in the file: {reason}.", "Irrelevant unless you train with masking.")


@check("note")
def conversions(subject: Subject) -> Iterator[Problem]:
    """What had to be converted on the way is said."""
    for note in subject.checkpoint.notes:
        yield Problem(subject.checkpoint.name, note, "Nothing is lost by it.")


@check("note")
def copies(subject: Subject) -> Iterator[Problem]:
    """A second encoder in the file, such as a running average, is compared with the one that is used."""
    for where, tensors in subject.checkpoint.copies.items():
        shared = [
            name for name in tensors if name in subject.sound and tensors[name].shape == subject.sound[name].shape
        ]
        differ = [name for name in shared if not torch.equal(tensors[name].float(), subject.sound[name].float())]
        verdict = f"{len(differ)} of {len(shared)} tensors differ" if differ else "it has the same numbers"
        yield Problem(
            where,
            f"Another encoder lies here; {verdict}. The one at {subject.checkpoint.where or 'the top'} is used.",
            "Running averages are mostly the better model: compare both with `wavlm-explorer diff`.",
        )


@check("note")
def storage_precision(subject: Subject) -> Iterator[Problem]:
    """The numbers are stored as float32, half or double: what that costs is said."""
    kinds: dict[torch.dtype, int] = {}
    for name in subject.sound:
        kind = subject.checkpoint.tensors[name].dtype
        kinds[kind] = kinds.get(kind, 0) + 1
    costs = {
        torch.float16: "Half precision keeps 11 bits of each weight; what is shown here is computed in float32.",
        torch.bfloat16: "bfloat16 keeps 8 bits of each weight; what is shown here is computed in float32.",
        torch.float64: "Double precision: twice the file for nothing, the model computes in float32.",
    }
    for kind, count in kinds.items():
        if kind != torch.float32:
            name = str(kind).removeprefix("torch.")
            advice = costs.get(kind, "A rare kind of number: convert it to float32.")
            yield Problem(f"{count} tensors", f"{count} of {len(subject.sound)} tensors are stored as {name}.", advice)


CHECKS: tuple[Check, ...] = (
    code_in_file,
    foreign_objects,
    ignored_tensors,
    filled_tensors,
    conversions,
    copies,
    storage_precision,
)
