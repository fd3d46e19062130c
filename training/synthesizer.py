"""Speech that knows its own labels: eSpeak NG, through its C library, says what phone begins when."""

import ctypes
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import soxr

SAMPLE_RATE = 16_000  # samples a second
QUIET = 1e-3  # full scale is 1: below this the synthesizer is silent

# From espeak-ng/speak_lib.h.
SYNCHRONOUS_OUTPUT, PHONEME_EVENTS, IPA_NAMES, DO_NOT_EXIT = 2, 0x1, 0x2, 0x8000
UTF8, BRACKETED_PHONEMES = 1, 0x100
WORD_EVENT, PHONEME_EVENT = 1, 7
SPEED, PITCH = 1, 3  # words a minute; 0 to 100


class EventLabel(ctypes.Union):
    """espeak_EVENT.id: a number for words, eight bytes of UTF-8 for phonemes."""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT: something that begins `milliseconds` into the utterance."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters, the first is 1
        ("length", ctypes.c_int),  # characters
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("label", EventLabel),
    )


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


@dataclass(frozen=True)
class Interval:
    """Seconds, and what is heard between them."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Mark:
    """Where a phone (or, without a label, silence) begins, in seconds, and the place and text of its word."""

    start: float
    label: str
    word: tuple[int, str] | None


@dataclass(frozen=True)
class Clip:
    """Speech at 16 kHz, samples [samples] float32, with its phones and words; what is not labelled is silence."""

    samples: np.ndarray
    phones: tuple[Interval, ...] = ()
    words: tuple[Interval, ...] = ()

    def __add__(self, other: "Clip") -> "Clip":
        """This clip, then the other."""
        shift = len(self.samples) / SAMPLE_RATE
        phones, words = (
            tuple(Interval(shift + each.start, shift + each.end, each.label) for each in tier)
            for tier in (other.phones, other.words)
        )
        return Clip(np.concatenate([self.samples, other.samples]), self.phones + phones, self.words + words)


class Synthesizer:
    """eSpeak NG, of which a process holds one: text to samples and to the events that say what begins when.

    Raises: OSError without the library (Debian: libespeak-ng1), RuntimeError without its voices (espeak-ng-data).
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        options = PHONEME_EVENTS | IPA_NAMES | DO_NOT_EXIT
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS_OUTPUT, 0, None, options)
        if self._rate <= 0:
            raise RuntimeError("eSpeak NG found no voices; install espeak-ng-data")
        self._callback = Callback(self._receive)  # kept here, or it would be collected while C still calls it
        self._library.espeak_SetSynthCallback(self._callback)
        self._pieces: list[np.ndarray] = []
        self._events: list[tuple[int, int, int, float, str]] = []

    def speak(self, text: str, voice: str = "en-us", speed: int = 150, pitch: int = 50) -> Clip:
        """Say it, at `speed` words a minute and a `pitch` of 0 to 100; phonemes in eSpeak's letters may stand in [[ ]].

        Raises: RuntimeError for a voice that is not there.
        """
        self._pieces, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise RuntimeError(f"eSpeak NG has no voice {voice!r}")
        self._library.espeak_SetParameter(SPEED, speed, 0)
        self._library.espeak_SetParameter(PITCH, pitch, 0)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8 | BRACKETED_PHONEMES, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._pieces).astype(np.float32) / 32768
        marks = self._heard(self._marks(text), samples)
        ends = [*(mark.start for mark in marks[1:]), len(samples) / self._rate]
        spans: dict[tuple[int, str], list[float]] = {}
        for mark, end in zip(marks, ends, strict=True):
            if mark.label and mark.word:
                spans.setdefault(mark.word, [mark.start]).append(end)
        return Clip(
            soxr.resample(samples, self._rate, SAMPLE_RATE),
            tuple(Interval(mark.start, end, mark.label) for mark, end in zip(marks, ends, strict=True) if mark.label),
            tuple(Interval(span[0], span[-1], word) for (_, word), span in spans.items()),
        )

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        """What eSpeak calls with every piece of sound; 0 asks it to go on."""
        if samples and count:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while (event := events[index]).type:
            label = event.label.text.decode() if event.type == PHONEME_EVENT else ""
            start = event.milliseconds / 1000
            self._events.append((event.type, event.text_position, event.length, start, label))
            index += 1
        return 0

    def _marks(self, text: str) -> list[Mark]:
        """Where each phone begins. One that lasts no time is blended into the one before it: they share a label."""
        word, marks = None, []
        for kind, position, length, start, label in self._events:
            if kind == WORD_EVENT:
                word = (position, text[position - 1 : position - 1 + length])
            if kind != PHONEME_EVENT:
                continue
            if len(marks) > 1 and marks[-1].label and marks[-1].start == start:
                blended = marks.pop()
                marks[-1] = replace(marks[-1], label=marks[-1].label + blended.label)
            marks.append(Mark(start, label, word))
        return marks

    def _heard(self, marks: list[Mark], samples: np.ndarray) -> list[Mark]:
        """The marks as the sound has them: a phone begins with the silence before it, and only silence has no label.

        eSpeak marks the burst of a stop, but its closure belongs to it too; and it names no glide from vowel to vowel.
        """
        moved = marks[:1]
        for before, mark, after in zip(marks, marks[1:], [*marks[2:], None], strict=False):
            start, end = round(mark.start * self._rate), round(after.start * self._rate) if after else len(samples)
            if not mark.label and end > start and np.median(np.abs(samples[start:end])) > QUIET:
                continue
            first = round(before.start * self._rate)
            sounding = np.flatnonzero(np.abs(samples[first:start]) > QUIET)
            if mark.label and before.label and len(sounding):
                start = first + int(sounding[-1]) + 1
            moved.append(replace(mark, start=start / self._rate))
        return moved
