"""What the cloze asks for, as packed arrays: the true classes, one pass with hidden frames, a class to hear."""

import time
from weakref import WeakKeyDictionary

import numpy as np

from ...audio import Audio
from ...cloze import around, class_sound, frame_distances, guess, prediction_head
from ...tracing import Trace
from ...views.cloze import variants
from ..turns import ONE_AT_A_TIME
from .packing import pack

SLICE_SECONDS = 5.0  # after so long a pass lets others through

_shares: WeakKeyDictionary[Trace, float] = WeakKeyDictionary()  # of the latest pass that is done
_wanted: WeakKeyDictionary[Trace, tuple[int, int]] = WeakKeyDictionary()  # the frames that were hidden last


class SupersededError(ValueError):
    """Other frames were hidden in the meantime."""


def classes_payload(trace: Trace) -> bytes:
    """The true class of every frame, [frames] int32; nothing of a model without its prediction head."""
    head = prediction_head(trace.model)
    if head is None:
        return pack({"classes": 0}, {})
    return pack({"classes": len(head.bias)}, {"truth": head.classes(trace.audio).numpy().astype(np.int32)})


def guess_payload(trace: Trace, start: int, stop: int, variant: int, layer: int = 0, head: int = 0) -> bytes:
    """One pass with the frames from `start` to `stop` hidden, under what the variant of that number takes away.

    probabilities [hidden, classes] float32, for a model with its prediction head; distances [states, hidden] float32.
    A pass ends when other frames of the trace are hidden.

    Raises: ValueError for frames that cannot be hidden, or that no longer are.
    """
    if not 0 <= start < stop <= trace.num_frames or stop - start == trace.num_frames:
        raise ValueError(f"expected some frames within 0 to {trace.num_frames}, not all; found {start} to {stop}")
    known = list(variants(trace, layer, head).items())
    if not 0 <= variant < len(known):
        raise ValueError(f"variant: expected 0 to {len(known) - 1}; found {variant}")
    name, interventions = known[variant]
    hidden, _wanted[trace] = slice(start, stop), (start, stop)
    with ONE_AT_A_TIME.turn():
        guessed = guess(trace, hidden, interventions, _Report(trace, (start, stop)))
    arrays = {"distances": frame_distances(trace, guessed, hidden).numpy()}
    prediction = prediction_head(trace.model)
    if prediction is not None:
        arrays["probabilities"] = prediction.probabilities(guessed.output[hidden]).numpy()
    return pack({"name": name, "from": start, "to": stop}, arrays)


class _Report:
    """Notes how far a pass is, lets others through, and ends what nobody wants any more."""

    def __init__(self, trace: Trace, frames: tuple[int, int]) -> None:
        self._trace, self._frames, self._began = trace, frames, time.monotonic()

    def __call__(self, share: float) -> None:
        if _wanted.get(self._trace) != self._frames:
            raise SupersededError("Other frames are hidden now.")
        _shares[self._trace] = share
        if time.monotonic() - self._began > SLICE_SECONDS:
            ONE_AT_A_TIME.pass_on()
            self._began = time.monotonic()


def share_payload(trace: Trace, look: int) -> bytes:
    """How much of the latest pass is done, 0 to 1; `look` counts the questions, for no cache is to answer them."""
    return pack({"share": _shares.get(trace, 0.0), "look": look}, {})


def moment_payload(trace: Trace, frame: int) -> bytes:
    """The sound around one frame of the clip, a WAV file."""
    if not 0 <= frame < trace.num_frames:
        raise IndexError(f"frame {frame} is out of range: expected 0 to {trace.num_frames - 1}")
    return _heard(around(trace.audio, frame), "as it was")


def class_payload(trace: Trace, number: int) -> bytes:
    """A class to hear: its most typical stretch among the samples, else made from its centre; says which.

    wav is not there where neither can be had.

    Raises: ValueError for a model without classes, or a class that it lacks.
    """
    head = prediction_head(trace.model)
    if head is None or not 0 <= number < len(head.bias):
        raise ValueError(f"this model has no class {number}")
    sound = class_sound(head, number)
    return pack({"words": "in no sample, and none could be made"}, {}) if sound is None else _heard(*sound)


def _heard(audio: Audio, words: str) -> bytes:
    return pack({"words": words}, {"wav": np.frombuffer(audio.to_wav(), np.uint8)})
