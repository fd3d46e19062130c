"""Praat's TextGrid, in its long and its short text form.

Both are one to Praat, and here: it reads numbers, "texts" and <flags> that stand alone, and takes all else, such as
`xmin =` or `intervals [3]:`, for remarks.

Source: Praat's manual, "TextGrid file formats" and "Text files: free-standing numbers and texts".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .track import (
    MAX_INTERVALS,
    MAX_TRACKS,
    Interval,
    LabelError,
    LabelTrack,
    make_interval,
    make_track,
    quoted,
    to_seconds,
)  # fmt: skip

# A text in quotes ("" is a quote in it), a flag, a remark to the end of the line, or anything up to the next space.
_TOKEN = re.compile(r'"((?:[^"]|"")*+)"(?=\s|\Z)|(<\S*>)|!.*|(\S+)')
_STARTS_AS_NUMBER = re.compile(r"[-+.]?\d")


class _Token(NamedTuple):
    kind: str  # "text", "flag" or "number"
    value: str
    line: int


class _Tokens:
    """The tokens of a file, taken one by one; each `take_` says what it expects."""

    def __init__(self, content: str) -> None:
        self._tokens = _tokens(content)
        self._last_line = content.count("\n") + 1

    def take(self, kind: str, what: str) -> _Token:
        token = next(self._tokens, None)
        if token is None:
            raise LabelError(f"line {self._last_line}: expected {what}, found the end of the file; it is cut short")
        if token.kind != kind:
            raise LabelError(
                f"line {token.line}: expected {what}, a {kind}, found the {token.kind} {quoted(token.value)}"
            )
        return token

    def take_text(self, what: str) -> _Token:
        return self.take("text", what)

    def take_seconds(self, what: str) -> float:
        token = self.take("number", what)
        return to_seconds(token.value, what, token.line)

    def take_count(self, what: str, most: int) -> int:
        token = self.take("number", what)
        if not token.value.isdecimal() or len(token.value) > 9 or int(token.value) > most:
            raise LabelError(f"line {token.line}: expected {what}, 0 to {most}, found {quoted(token.value)}")
        return int(token.value)


def read_textgrid(content: str) -> list[LabelTrack]:
    """Read the tiers of a TextGrid; the points of a point tier are intervals without length.

    Raises: LabelError.
    """
    tokens = _Tokens(content)
    tokens.take_text("the file type")
    kind = tokens.take_text("the object class")
    if kind.value != "TextGrid":
        raise LabelError(f'line {kind.line}: expected an object of class "TextGrid", found {quoted(kind.value)}')
    tokens.take_seconds("the start of the grid")
    tokens.take_seconds("the end of the grid")
    flag = tokens.take("flag", "<exists> or <absent>")
    if flag.value != "<exists>":
        return []
    tracks: list[LabelTrack] = []
    left = MAX_INTERVALS
    for _ in range(tokens.take_count("the number of tiers", MAX_TRACKS)):
        tracks.append(_read_tier(tokens, left))
        left -= len(tracks[-1].intervals)
    return tracks


def _read_tier(tokens: _Tokens, most: int) -> LabelTrack:
    kind = tokens.take_text("the class of a tier")
    if kind.value not in ("IntervalTier", "TextTier"):
        found = quoted(kind.value)
        raise LabelError(f'line {kind.line}: expected a tier of class "IntervalTier" or "TextTier", found {found}')
    name = tokens.take_text("the name of a tier").value
    tokens.take_seconds("the start of a tier")
    tokens.take_seconds("the end of a tier")
    read = _read_interval if kind.value == "IntervalTier" else _read_point
    return make_track(name, [read(tokens) for _ in range(tokens.take_count("the number of labels", most))])


def _read_interval(tokens: _Tokens) -> Interval:
    start, end = tokens.take_seconds("the start of an interval"), tokens.take_seconds("the end of an interval")
    text = tokens.take_text("the text of an interval")
    return make_interval(start, end, text.value, text.line)


def _read_point(tokens: _Tokens) -> Interval:
    time, text = tokens.take_seconds("the time of a point"), tokens.take_text("the mark of a point")
    return make_interval(time, time, text.value, text.line)


def _tokens(content: str) -> Iterator[_Token]:
    line, counted = 1, 0
    for match in _TOKEN.finditer(content):
        line += content.count("\n", counted, match.start())
        counted = match.start()
        text, flag, word = match.groups()
        if text is not None:
            yield _Token("text", text.replace('""', '"').replace("\n", " "), line)
        elif flag:
            yield _Token("flag", flag, line)
        elif word and word.startswith('"'):
            raise LabelError(f"line {line}: expected the quote that ends the text {quoted(word)}, found none")
        elif word and _STARTS_AS_NUMBER.match(word):
            yield _Token("number", word, line)
