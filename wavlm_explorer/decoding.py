"""Files from strangers, decoded: in order, in small pieces, from a short list of containers, to 16 kHz mono.

Whatever is wrong with a file, one kind of error says it.
"""

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np
import soxr
from av.audio import AudioFrame, AudioStream
from av.container import InputContainer

SAMPLE_RATE = 16_000  # samples a second: what every released WavLM was trained on
MIN_SOURCE_RATE, MAX_SOURCE_RATE = 1_000, 768_000  # samples a second
MAX_CHANNELS = 64
GAP_SECONDS = 0.1  # time stamps this far ahead of the samples are missing sound, less is the container's rounding
MARGIN_SECONDS = 0.1  # decoded before a window so that the resampling filter (< 20 ms) starts where it would have been

# Only containers that hold their own sound. Playlists (HLS, concat, SDP) name other files and addresses to open, which
# an uploaded file must never do.
CONTAINERS = "wav,w64,aiff,au,caf,nistsphere,flac,mp3,aac,ac3,eac3,amr,ogg,mov,matroska,asf,avi,flv,mpeg,mpegts"

# What libav and its wrapper raise on damaged files. OSError is not here: it is the reader's own disk.
DECODER_ERRORS = (av.FFmpegError, ValueError, ArithmeticError, LookupError, RuntimeError)

Source = str | os.PathLike[str] | bytes | BinaryIO


class AudioError(ValueError):
    """This sound cannot be used; the message says what was expected, what was found and what to do."""


@contextmanager
def open_sound(source: Source) -> Iterator[tuple[InputContainer, AudioStream, str]]:
    """Open the first audio track of a source, and turn all that libav raises while it is open into AudioError."""
    with _binary_file(source) as (file, name):
        try:
            options = {"format_whitelist": CONTAINERS}
            with av.open(file, options=options, metadata_errors="replace") as container:
                if not container.streams.audio:
                    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
                    raise AudioError(f"{name}: expected an audio track, found {kinds}; choose a file with sound in it")
                yield cast(InputContainer, container), container.streams.audio[0], name
        except AudioError:
            raise
        except DECODER_ERRORS as error:
            reason = getattr(error, "strerror", None) or error
            raise AudioError(
                f"{name}: expected a sound file (wav, flac, mp3, ogg, opus, m4a, webm, aiff) or a video, found "
                f"something that is none of these or is damaged ({reason}); play it elsewhere, or convert it to wav"
            ) from error


@contextmanager
def _binary_file(source: Source) -> Iterator[tuple[BinaryIO, str]]:
    """Yield a seekable file at its beginning, and the name to call it by."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield _not_empty(file, Path(source).name), Path(source).name
    elif isinstance(source, bytes | bytearray | memoryview):
        yield _not_empty(io.BytesIO(source), "sound"), "sound"
    elif hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        label = getattr(source, "name", None)
        name = Path(label).name if isinstance(label, str) else "sound"
        seekable = hasattr(source, "seekable") and source.seekable()
        yield _not_empty(source if seekable else io.BytesIO(source.read()), name), name
    else:
        raise TypeError(f"expected a path, bytes or a file opened in binary mode, found {type(source).__name__}")


def _not_empty(file: BinaryIO, name: str) -> BinaryIO:
    file.seek(0, io.SEEK_END)
    if file.tell() == 0:
        raise AudioError(f"{name}: expected a sound file, found an empty one (0 bytes); record or download it again")
    file.seek(0)
    return file


def _lead_seconds(container: InputContainer, stream: AudioStream) -> float:
    """How long after the start of the file its sound begins: a video may start first."""
    if stream.start_time is None or stream.time_base is None or container.start_time is None:
        return 0.0
    return max(0.0, float(stream.start_time * stream.time_base) - container.start_time / av.time_base)


def header_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """What the file says of its own length, in seconds; None where it says nothing."""
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        return _lead_seconds(container, stream) + float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def packet_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """The end of the last packet: what a browser's recording, which has no length in its header, lasts."""
    end = 0.0
    for packet in _packets(container, stream):
        if packet.pts is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    end -= (container.start_time or 0) / av.time_base
    return end if end > 0 else None


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[av.Packet]:
    """The packets of a track up to where its file breaks off; an empty one, which drains the decoder, is the last."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """All frames that can be decoded: a damaged packet is left out, those after it may be whole."""
    for packet in _packets(container, stream):
        try:
            yield from packet.decode()  # type: ignore[reportReturnType] audio packets hold audio frames
        except DECODER_ERRORS:
            continue


def decode(container: InputContainer, stream: AudioStream, first: int, wanted: int, name: str) -> np.ndarray:
    """Decode until `wanted` samples at 16 kHz from `first` are there, or the sound ends: [samples] float32."""
    window: _Window | None = None
    origin, position = None, 0  # the first time stamp in seconds; the next sample at the source's rate
    for frame in _frames(container, stream):
        if window is None:
            window = _Window(source_rate(frame.sample_rate), first, wanted)
            position = round(_lead_seconds(container, stream) * window.rate)
            origin = None if frame.time is None else frame.time - position / window.rate
        if frame.sample_rate != window.rate:
            raise AudioError(
                f"{name}: expected one sample rate, found {window.rate} Hz and, from {position / window.rate:.2f} s "
                f"on, {frame.sample_rate} Hz; convert it to wav first"
            )
        if frame.time is not None and origin is not None:
            stamp = frame.time - origin
            if stamp - position / window.rate > GAP_SECONDS:
                position = round(stamp * window.rate)
        if position + frame.samples > window.next:
            window.add(mono_samples(_frame_channels(frame)), position)
        position += frame.samples
        if window.is_full:
            break
    if window is None:
        raise AudioError(f"{name}: expected sound, found nothing that can be decoded; the file is damaged or cut short")
    samples = window.samples()
    if not len(samples):
        end = position / window.rate
        raise AudioError(
            f"{name}: start is {first / SAMPLE_RATE:g} s, but the sound ends at {end:.3f} s; start earlier"
        )
    return samples


class _Window:
    """Resamples samples [first, first + wanted) of a sound at 16 kHz, reading of its source only what they need.

    It begins where a sample of the source and one at 16 kHz fall on the same instant, so that the result lies on the
    grid of the whole file.
    """

    def __init__(self, rate: int, first: int, wanted: int) -> None:
        step = rate // math.gcd(rate, SAMPLE_RATE)  # source samples between two such instants
        margin = round(MARGIN_SECONDS * rate)
        self.rate = rate
        self.next = max(0, first * rate // SAMPLE_RATE - margin) // step * step  # the source sample read next
        self._skip = first - self.next * SAMPLE_RATE // rate
        self._end = self._skip + wanted
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        self._pieces: list[np.ndarray] = []
        self._count = 0

    @property
    def is_full(self) -> bool:
        return self._count >= self._end

    def add(self, mono: np.ndarray, position: int) -> None:
        """Take in samples that start at `position` of the source; silence stands for what lies before them."""
        while self.next < position and not self.is_full:
            self._resample(np.zeros(min(self.rate, position - self.next), np.float32))
        self._resample(mono[max(0, self.next - position) :])

    def samples(self) -> np.ndarray:
        if not self.is_full:
            self._pieces.append(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        return np.concatenate(self._pieces)[self._skip : self._end]

    def _resample(self, mono: np.ndarray) -> None:
        piece = self._resampler.resample_chunk(mono)
        self._pieces.append(piece)
        self._count += len(piece)
        self.next += len(mono)


def _frame_channels(frame: AudioFrame) -> np.ndarray:
    """[channels, samples], in the type the decoder made."""
    channels = frame.layout.nb_channels
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"expected 1 to {MAX_CHANNELS} channels, found {channels}; mix it down to mono first")
    if frame.format.is_planar and channels >= 8:  # PyAV reads past libav's eight plane pointers: give it one plane
        (frame,) = av.AudioResampler(format="flt").resample(frame)
    array = frame.to_ndarray()
    return array if frame.format.is_planar else array.reshape(-1, channels).T


def mono_samples(channels: np.ndarray) -> np.ndarray:
    """[channels, samples] of any sample type -> [samples] float32, integers scaled so that full scale is 1."""
    kind, num_bytes = channels.dtype.kind, channels.dtype.itemsize
    if kind not in "iuf" or (kind in "iu" and num_bytes > 4):
        raise AudioError(
            f"expected floats, or integers of 8, 16 or 32 bits, found {channels.dtype}; "
            "convert to int16, int32 or float32 (a 64-bit integer does not say what full scale is)"
        )
    with np.errstate(all="ignore"):  # NaN and infinity are counted, and refused, by Audio
        mean = channels.mean(axis=0, dtype=np.float64)
        if kind in "iu":
            full_scale = 2.0 ** (8 * num_bytes - 1)
            mean = (mean - (full_scale if kind == "u" else 0.0)) / full_scale
        return mean.astype(np.float32)


def source_rate(rate: float) -> int:
    """Check a sample rate, in samples a second.

    Raises: AudioError unless it is a whole number within the bounds.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating) or rate != rate // 1:
        raise AudioError(f"expected a whole number of samples a second, found {rate!r}")
    if not MIN_SOURCE_RATE <= rate <= MAX_SOURCE_RATE:
        raise AudioError(f"expected {MIN_SOURCE_RATE} to {MAX_SOURCE_RATE} samples a second, found {rate}")
    return int(rate)
