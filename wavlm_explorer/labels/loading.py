"""Any file of labels -> tracks: what kind of file it is, its content tells, whatever its name."""

import codecs
import io
import os
from pathlib import Path
from typing import BinaryIO

from .tables import CTM_COMMENT, is_audacity, is_ctm, read_audacity, read_ctm
from .textgrid import read_textgrid
from .track import LabelError, LabelTrack, quoted

MAX_BYTES = 16 << 20  # hours of phones

Source = str | os.PathLike[str] | bytes | BinaryIO


def load_labels(source: Source) -> tuple[LabelTrack, ...]:
    """Read the labels in a path, bytes or a binary file: a Praat TextGrid, Audacity labels, or a CTM.

    Times are seconds from the start of the file that they label, whichever part of it is looked at. Text is UTF-8,
    UTF-16 where a byte order mark says so, or else Latin-1, as older Praats write it. Binary files are
    read from their beginning.

    Raises: LabelError with the line, what was expected and what was found; FileNotFoundError.
    """
    content, name = _read(source)
    try:
        tracks = _parse(_decode(content))
    except LabelError as error:
        raise LabelError(f"{name}: {error}") from None
    return tuple(tracks)


def _parse(content: str) -> list[LabelTrack]:
    lines = (line for line in content.split("\n") if line.strip())
    first = next((line for line in lines if not line.startswith(CTM_COMMENT)), "")
    if "ooTextFile" in first:
        return read_textgrid(content)
    if is_audacity(first):
        return read_audacity(content)
    if is_ctm(first):
        return read_ctm(content)
    found = "a binary TextGrid; save it as a text file in Praat" if "ooBinaryFile" in first else quoted(first)
    raise LabelError(f"expected a TextGrid, Audacity labels (start, end, label) or a CTM, found {found}")


def _read(source: Source) -> tuple[bytes, str]:
    """The content, and the name to call it by."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            return _read_bounded(file, Path(source).name), Path(source).name
    if isinstance(source, bytes | bytearray | memoryview):
        return _read_bounded(io.BytesIO(source), "labels"), "labels"
    if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        label = getattr(source, "name", None)
        name = Path(label).name if isinstance(label, str) else "labels"
        if source.seekable():
            source.seek(0)
        return _read_bounded(source, name), name
    raise TypeError(f"expected a path, bytes or a file opened in binary mode, found {type(source).__name__}")


def _read_bounded(file: BinaryIO, name: str) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise LabelError(f"{name}: expected at most {MAX_BYTES >> 20} MB of labels, found more; cut it")
    return content


def _decode(content: bytes) -> str:
    """Text with lines that end in a newline alone."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise LabelError(f"expected UTF-16, as its first bytes say, found damage at byte {error.start}") from None
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
