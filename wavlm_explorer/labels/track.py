"""What labels are: named tracks of intervals, in seconds."""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

MAX_TRACKS = 64
MAX_INTERVALS = 200_000  # of all tracks
MAX_TEXT = 2000  # characters of one label

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


class LabelError(ValueError):
    """These labels cannot be used; the message says the line, what was expected and what was found."""


class Interval(NamedTuple):
    """What is heard from `start` to `end`; a point in time starts where it ends."""

    start: float  # seconds from the start of the file
    end: float
    text: str  # "" where nothing is said, such as silence


@dataclass(frozen=True)
class LabelTrack:
    """The intervals of one tier, by their start; they may leave gaps, and overlap."""

    name: str
    intervals: tuple[Interval, ...]

    def between(self, start: float, end: float) -> list[Interval]:
        """The intervals that reach into that time, in seconds, each as long as it is."""
        return [interval for interval in self.intervals if interval.end > start and interval.start < end]


def to_seconds(text: str, what: str, line: int) -> float:
    """Read a time as files spell it: finite, without the underscores and words that Python would take.

    Raises: LabelError.
    """
    seconds = float(text) if len(text) <= 64 and _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(seconds):
        raise LabelError(f"line {line}: expected {what} in seconds, found {quoted(text)}")
    return seconds


def make_interval(start: float, end: float, text: str, line: int) -> Interval:
    """Put an interval together.

    Raises: LabelError for one that ends before it starts, or whose text is a book.
    """
    if end < start:
        raise LabelError(f"line {line}: expected an end at or after the start ({start:g} s), found {end:g} s")
    if len(text) > MAX_TEXT:
        raise LabelError(f"line {line}: expected a label of at most {MAX_TEXT} characters, found {len(text)}")
    return Interval(start, end, text.strip())


def make_track(name: str, intervals: list[Interval]) -> LabelTrack:
    """Put a track together, its intervals in order of their start."""
    return LabelTrack(name.strip()[:MAX_TEXT], tuple(sorted(intervals, key=lambda interval: interval[:2])))


def quoted(text: str) -> str:
    """Quote what was found, in so far as a message has room for it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
