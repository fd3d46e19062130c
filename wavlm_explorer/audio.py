"""Sound in: any recording becomes 16 kHz mono float32, the only thing WavLM hears."""

import hashlib
import io
import math
import wave
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import soxr

from . import decoding
from .decoding import MAX_CHANNELS, SAMPLE_RATE, AudioError, Source

RECEPTIVE_FIELD_SAMPLES = 400  # what one frame sees: 25 ms
SILENCE_PEAK = 1e-4  # full scale is 1, so this is -80 dBFS
MAX_SECONDS = 3600.0  # what one call returns at most: 230 MB of samples

__all__ = ["Audio", "AudioError", "Source", "audio_duration", "load_audio"]


@dataclass(frozen=True, eq=False)
class Audio:
    """A mono sound at 16 kHz, and where in its file it begins.

    samples: [samples] float32, read-only; full scale is 1, louder values are kept as they are.
    start: seconds from the start of the file to the first sample.

    Raises: AudioError for another rate, rank or type, fewer than 400 samples, NaN or infinite values.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE
    name: str = "sound"
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.sample_rate != SAMPLE_RATE:
            raise AudioError(f"expected {SAMPLE_RATE} Hz, found {self.sample_rate}; use Audio.from_samples to resample")
        object.__setattr__(self, "start", _seconds("start", self.start, minimum=0.0))
        samples = np.array(self.samples)  # a copy: nobody else can write to it
        if samples.ndim != 1 or samples.dtype != np.float32:
            found = f"{samples.dtype} of shape {samples.shape}"
            raise AudioError(f"expected float32 of shape [samples], found {found}; use Audio.from_samples to convert")
        if len(samples) < RECEPTIVE_FIELD_SAMPLES:
            raise AudioError(
                f"{self.name}: expected at least {RECEPTIVE_FIELD_SAMPLES} samples at 16 kHz (25 ms, one frame), "
                f"found {len(samples)} ({1000 * len(samples) / SAMPLE_RATE:.1f} ms); choose a longer part"
            )
        if not_finite := int(np.count_nonzero(~np.isfinite(samples))):
            raise AudioError(
                f"{self.name}: expected finite samples, found {not_finite} that are NaN or infinite; "
                "the file is damaged, or something before this divided by zero"
            )
        samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)

    @classmethod
    def from_samples(cls, samples: Any, sample_rate: float, name: str = "samples", start: float = 0.0) -> "Audio":
        """Make 16 kHz mono sound of an array [samples] or [channels, samples] (or anything numpy can view as one).

        Integers are scaled by full scale (int16 / 32768; unsigned ones are centred first), channels are averaged.

        Raises: AudioError for a type, shape or rate that is no sound.
        """
        channels = _channels_first(samples)
        rate = decoding.source_rate(sample_rate)
        mono = decoding.mono_samples(channels)
        with np.errstate(all="ignore"):  # NaN and infinity are counted, and refused, by the constructor
            resampled = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
        return cls(resampled, name=name, start=start)

    def to_wav(self) -> bytes:
        """What the model hears as a 16-bit WAV file, as loud as it is; what is louder than full scale is clipped."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((1, 2, self.sample_rate, 0, "NONE", ""))
            file.writeframes((self.samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
        return buffer.getvalue()

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def peak(self) -> float:
        """The largest absolute sample; full scale is 1."""
        return float(max(self.samples.max(), -self.samples.min()))

    @property
    def is_silent(self) -> bool:
        """Whether nothing is louder than -80 dBFS: it loads, but attention over it means little."""
        return self.peak < SILENCE_PEAK

    @cached_property
    def digest(self) -> str:
        """32 hex digits that tell this sound, at this start, from any other; the name does not count."""
        digest = hashlib.blake2b(self.samples.data, digest_size=16)
        digest.update(self.start.hex().encode())
        return digest.hexdigest()


def load_audio(
    source: Source, start: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS
) -> Audio:
    """Read the sound in a path, bytes or a binary file: `duration` seconds from `start`, or all that follows it.

    A window holds the same samples, to 1e-6, as the same part of the whole file would. Seconds count from the start of
    the file as a player shows it: encoder delay is left out where the file declares it (mp3, m4a, opus) and missing
    sound is silence. `start` is rounded to a whole sample. A damaged file gives what can still be decoded; binary files
    are read from their beginning.

    Raises: AudioError for what is no sound, too short, or longer than `max_seconds`; FileNotFoundError.
    """
    first = round(_seconds("start", start, minimum=0.0) * SAMPLE_RATE)
    limit = _seconds("max_seconds", max_seconds, above=0.0)
    asked = math.inf if duration is None else _seconds("duration", duration, above=0.0)
    with decoding.open_sound(source) as (container, stream, name):
        known = decoding.header_seconds(container, stream)
        if known is not None and min(asked, known - start) > limit:
            raise _too_long(name, f"{known:.1f} s long", limit)
        wanted = round(min(asked, limit) * SAMPLE_RATE)
        samples = decoding.decode(container, stream, first, wanted + 1, name)
    if asked > limit and len(samples) > wanted:
        raise _too_long(name, "longer than that", limit)
    return Audio(samples[:wanted], name=name, start=first / SAMPLE_RATE)


def audio_duration(source: Source) -> float | None:
    """Seconds of sound in a file, without decoding it; None where neither its header nor its packets tell.

    Compressed formats without a length in their header (mp3 or aac streams) give an estimate from their bit rate.

    Raises: AudioError for what is no sound; FileNotFoundError.
    """
    with decoding.open_sound(source) as (container, stream, _):
        return decoding.header_seconds(container, stream) or decoding.packet_seconds(container, stream)


def _channels_first(samples: Any) -> np.ndarray:
    """View anything as [channels, samples], or say why it is no sound."""
    try:
        array = np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AudioError(f"expected an array of numbers, found {type(samples).__name__}: {error}") from error
    if array.ndim not in (1, 2) or array.size == 0:
        raise AudioError(f"expected shape [samples] or [channels, samples], found {list(array.shape)}")
    array = np.atleast_2d(array)
    if len(array) > MAX_CHANNELS:
        raise AudioError(
            f"expected [channels, samples] with at most {MAX_CHANNELS} channels, found {list(array.shape)}; "
            "if it is [samples, channels], pass array.T"
        )
    return array


def _seconds(label: str, value: float, minimum: float = -math.inf, above: float = -math.inf) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not abs(value) <= 1e9 or value < minimum or value <= above:
        bound = f"of {minimum:g} or more" if minimum > above else f"above {above:g}"
        raise AudioError(f"{label}: expected a number of seconds {bound}, found {value!r}")
    return float(value)


def _too_long(name: str, length: str, limit: float) -> AudioError:
    return AudioError(
        f"{name}: expected at most {limit:g} s at once, found a sound {length}; "
        "choose a part with start and duration, or raise max_seconds"
    )
