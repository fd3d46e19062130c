"""The sound, in the sidebar: a sample, an upload, or the microphone, and which part of it; or a saved trace."""

import hashlib
import io
import os
from typing import Any, NamedTuple

import streamlit as st

from ..audio import Audio, AudioError, audio_duration, load_audio
from ..samples import SAMPLES, load_sample, sample_names
from ..trace_files import TraceError
from ..tracing import Trace
from .markdown import literal
from .memory import remember
from .traces import is_trace_name, open_trace
from .widgets import ask_seconds

SECONDS_VARIABLE = "WAVLM_EXPLORER_SECONDS"  # the owner of the server may allow more, or less
MAX_TRACED_SECONDS = float(os.environ.get(SECONDS_VARIABLE, "600"))
FIRST_PART_SECONDS = min(60.0, MAX_TRACED_SECONDS)  # of a recording, until its visitor asks for more
SHORTEST_PART_SECONDS = 0.1
MAX_UPLOAD_MEGABYTES = 200
KINDS = ("Sample", "Upload", "Record")


class _Recording(NamedTuple):
    """An encoded sound as the browser sent it."""

    name: str
    content: bytes
    digest: str
    duration: float | None  # seconds, where the file says so

    def file(self) -> io.BytesIO:
        """The content as a file that knows its name, which messages then mention."""
        file = io.BytesIO(self.content)
        file.name = self.name
        return file


def choose_sound() -> Audio | Trace | None:
    """Draw the widgets and return the chosen part of the chosen sound, or the trace that was uploaded in its place.

    None while there is neither. What cannot be used is explained, and the last good one stays.
    """
    st.subheader("Sound")
    kind = st.segmented_control(
        "Sound", KINDS, default=KINDS[0], required=True, key="sound", bind="query-params",
        label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    try:
        sound = _choose_sample() if kind == KINDS[0] else _choose_recording(str(kind))
    except (AudioError, TraceError, MemoryError) as error:
        st.error(literal(error), icon=":material/error:")
        sound = st.session_state.get("_last_sound")
        if sound is not None:
            st.caption(f"Still showing {literal(_audio_of(sound).name)}.")
        return sound
    if sound is not None:
        st.session_state["_last_sound"] = sound
        _present(_audio_of(sound))
    return sound


def _audio_of(sound: Audio | Trace) -> Audio:
    return sound.audio if isinstance(sound, Trace) else sound


def _present(audio: Audio) -> None:
    st.audio(remember("players", audio.digest, audio.to_wav), format="audio/wav")
    st.caption(f"{literal(audio.name)} · {audio.start:g} to {audio.start + audio.duration:.2f} s · 16 kHz mono")
    if audio.is_silent:
        st.warning("This part is silent: what the model attends to in it says little.", icon=":material/volume_off:")


def _choose_sample() -> Audio:
    name = st.selectbox(
        "Sample", sample_names(), format_func=_sample_title, key="sample", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    st.caption(SAMPLES[name].look_for)
    return remember("samples", name, lambda: load_sample(name))


def _sample_title(name: str) -> str:
    return SAMPLES[name].title if name in SAMPLES else name


def _choose_recording(kind: str) -> Audio | Trace | None:
    remembered = f"_recording_{kind}"  # survives a look at the samples, until its own box is emptied
    options: dict[str, Any] = {"key": kind.lower(), "on_change": lambda: st.session_state.pop(remembered, None)}
    if kind == "Upload":
        file = st.file_uploader(
            "Your recording", label_visibility="collapsed",
            help="Any format: wav, flac, mp3, ogg, opus, m4a, webm, the sound of a video, of at most "
            f"{MAX_UPLOAD_MEGABYTES} MB. Or a saved trace, of any size that can be sent.", **options,
        )  # fmt: skip
    else:
        file = st.audio_input("Record your voice", sample_rate=16_000, label_visibility="collapsed", **options)
    if file is not None and not is_trace_name(file.name) and file.size > MAX_UPLOAD_MEGABYTES << 20:
        raise AudioError(
            f"{file.name}: expected at most {MAX_UPLOAD_MEGABYTES} MB, found {file.size / 1e6:.0f} MB; "
            "cut the recording or compress it"
        )
    if file is not None and remembered not in st.session_state:
        st.session_state[remembered] = _read(file.name, file.getvalue())
    recording = st.session_state.get(remembered)
    if recording is None or isinstance(recording, Trace):
        return recording
    start, duration = _choose_part(recording)
    key = (recording.digest, recording.name, start, duration)
    return remember("audio", key, lambda: load_audio(recording.file(), start=start, duration=duration))


def _read(name: str, content: bytes) -> _Recording | Trace:
    if is_trace_name(name):
        return open_trace(name, content, MAX_TRACED_SECONDS)
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    recording = _Recording(name, content, digest, None)
    return recording._replace(duration=audio_duration(recording.file()))


def _choose_part(recording: _Recording) -> tuple[float, float]:
    """Ask which part to trace, in seconds; a new recording begins at its start."""
    if st.session_state.get("_part_of", recording.digest) != recording.digest:
        st.session_state["start"], st.session_state["duration"] = 0.0, FIRST_PART_SECONDS
    st.session_state["_part_of"] = recording.digest
    if recording.duration is not None and recording.duration > FIRST_PART_SECONDS:
        st.info(
            f"The recording lasts {_clock(recording.duration)}. Its first {FIRST_PART_SECONDS:.0f} s are shown, until "
            f"you choose another part, of up to {MAX_TRACED_SECONDS:.0f} s.",
            icon=":material/content_cut:",
        )
    latest = None if recording.duration is None else max(0.0, recording.duration - SHORTEST_PART_SECONDS)
    left, right = st.columns(2)
    with left:
        start = ask_seconds("start", "Start (s)", 0.0, latest, 0.0, "Where the part begins.")
    with right:
        least, most = SHORTEST_PART_SECONDS, MAX_TRACED_SECONDS
        explained = "It ends here, or with the recording. Long parts take their time, and can be stopped."
        duration = ask_seconds("duration", "Up to (s)", least, most, FIRST_PART_SECONDS, explained)
    return start, duration


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
