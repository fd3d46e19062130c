"""A source that cannot be read: what it really is, told from its first bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOOKS = (  # first bytes, what they mean, what to do
    (b"version https://git-lfs", "a Git LFS pointer, a few lines of text that stand for the file",
     "Run `git lfs pull`, or download the file itself."),
    (b"<!doctype", "a web page, not a checkpoint", "The link led to a page about the file: use its download link."),
    (b"<html", "a web page, not a checkpoint", "The link led to a page about the file: use its download link."),
    (b"<?xml", "an XML text, such as a server's error message", "Download the file again."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"\xfd7zxz", "an xz archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"rar!", "a RAR archive", "Unpack it first."),
    (b"%pdf", "a PDF", "Choose the checkpoint's file."),
    (b"riff", "a sound, not a checkpoint", "Give the sound as audio=, and a checkpoint first."),
    (b"flac", "a sound, not a checkpoint", "Give the sound as audio=, and a checkpoint first."),
    (b"id3", "a sound, not a checkpoint", "Give the sound as audio=, and a checkpoint first."),
    (b"\x89hdf", "an HDF5 file, as Keras writes it", "Convert it to PyTorch or safetensors."),
    (b"gguf", "a GGUF file", "Use the PyTorch or safetensors file that it was made from."),
    (b"\x89png", "a picture", "Choose the checkpoint's file."),
)  # fmt: skip
ADVICE = "Compare the file's size with where it came from and fetch it again; or convert it to safetensors there."


def name_of(source: Any) -> str:
    """What to call a source in a report."""
    if isinstance(source, str | Path):
        return Path(source).name or str(source)
    if isinstance(source, bytes):
        return "checkpoint"
    if isinstance(source, Mapping):
        return "a state dict"
    name = getattr(source, "name", "")
    return Path(name).name if isinstance(name, str) and name else f"a {type(source).__name__}"


def explain_unreadable(source: Any, error: str) -> tuple[str, str]:
    """Say what a source is, from its first bytes, and what to do; `error` is the reader's own message."""
    head = first_bytes(source)
    if head == b"":
        return "The file is empty.", "The download or the copy failed: fetch it again."
    if head is not None:
        start = head.lstrip().lower()
        for sign, what, advice in LOOKS:
            if start.startswith(sign):
                return f"This is {what}.", advice
        if not any(head):
            return "The file begins with nothing but zeros: it was never filled.", "Fetch it again."
    return error, ADVICE


def first_bytes(source: Any, count: int = 512) -> bytes | None:
    """Read how a file begins; None for what is no file."""
    try:
        if isinstance(source, bytes):
            return source[:count]
        if isinstance(source, str | Path):
            path = Path(source).expanduser()
            if not path.is_file():  # a pipe would keep us waiting
                return None
            with path.open("rb") as file:
                return file.read(count)
        if hasattr(source, "seek") and hasattr(source, "read"):
            source.seek(0)
            return source.read(count)
    except (OSError, ValueError):
        return None
    return None
