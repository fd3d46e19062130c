"""The page of two stretches: which sounds they are of, and which part of each."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, cast

import streamlit as st

from ..audio import Audio, AudioError, load_audio
from ..figures.style import Palette
from ..labels import LabelTrack, load_labels
from ..samples import SAMPLES, load_sample, sample_names, sample_textgrid
from ..stretches import Stretch, stretch_between, whole
from ..tracing import Trace
from ..views import Option
from ..views.side_by_side import LESSON, exhibits
from ..views.view import choose_head, choose_layer
from .exhibits import offer_all, show_exhibits
from .link import note, recall
from .markdown import literal
from .memory import remember
from .page import show_lesson
from .sound import FIRST_PART_SECONDS, MAX_UPLOAD_MEGABYTES
from .tool import Workbench
from .tracing import trace_once
from .widgets import ask

SAME, SAMPLE, UPLOAD = "same", "sample", "upload"
OTHER = Option("other_sound", "Sound", "", (SAME, SAMPLE, UPLOAD), SAME)
ALL, BETWEEN = "all of it", "from … to …"


class _Heard(NamedTuple):
    """A sound that the model has heard, and its labels."""

    trace: Trace
    tracks: Sequence[LabelTrack]


def show(trace: Trace, tracks: Sequence[LabelTrack], palette: Palette) -> None:
    """Draw the page."""
    st.title(SIDE_BY_SIDE.title)
    show_lesson(LESSON)
    a = b = None
    with st.container(border=True):
        left, right = st.columns(2, gap="large")
        with right:
            st.markdown("**B**")
            kind = ask(OTHER)
            other = _hear_other(kind, trace, tracks)
        ours = _Heard(trace, tracks)
        of = "part" if kind == SAME else "part_of_two"  # what suits two words seldom suits two sounds
        first, second = _parts_to_begin_with(trace, tracks) if kind == SAME else (ALL, ALL)
        with left:
            st.markdown("**A**, the sound of the sidebar")
            st.markdown(literal(trace.audio.name))
            a = _choose_part(f"a_{of}", ours, first)
        with right:
            if other is not None:
                b = _choose_part(f"b_{of}", other, second)
    if a is not None and b is not None:
        _show_pair(a, b, palette)


@st.fragment
def _show_pair(a: Stretch, b: Stretch, palette: Palette) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        layer = ask(choose_layer(a.trace))
    with right:
        head = ask(choose_head(a.trace))
    shown = show_exhibits(exhibits(a, b, palette, layer, head))
    sounds = " and ".join(f"{one.name} of {one.trace.audio.name}" for one in (a, b))
    offer_all(SIDE_BY_SIDE.name, f"{sounds} through {a.trace.model.source.name}: layer {layer}, head {head}", shown)


def _hear_other(kind: str, trace: Trace, tracks: Sequence[LabelTrack]) -> _Heard | None:
    """Ask for B's sound and let the model of A hear it; None while there is none, or after what cannot be used."""
    if kind == SAME:
        return _Heard(trace, tracks)
    try:
        heard = _choose_sample(trace) if kind == SAMPLE else _choose_recording()
        return None if heard is None else _Heard(trace_once(trace.model, heard[0]), heard[1])
    except (AudioError, MemoryError, RuntimeError, ValueError) as error:  # PyTorch tells of missing memory so
        st.error(literal(error), icon=":material/error:")
        return None


def _choose_sample(trace: Trace) -> tuple[Audio, Sequence[LabelTrack]]:
    titles = {SAMPLES[name].title: name for name in sample_names()}
    first = next(title for title, name in titles.items() if name != trace.audio.name)
    name = titles[ask(Option("other_sample", "Sample", "", tuple(titles), first))]
    audio = remember("samples", name, lambda: load_sample(name))
    return audio, remember("labels", name, lambda: load_labels(sample_textgrid(name).encode()))


def _choose_recording() -> tuple[Audio, Sequence[LabelTrack]] | None:
    file = st.file_uploader(
        "Another recording", max_upload_size=MAX_UPLOAD_MEGABYTES, key="other_recording",
        help=f"Any format. Its first {FIRST_PART_SECONDS:.0f} s are heard.",
    )  # fmt: skip
    if file is None:
        st.caption("Drop the second recording here.")
        return None
    return remember("other_audio", file.file_id, lambda: load_audio(file, duration=FIRST_PART_SECONDS)), ()


def _choose_part(name: str, heard: _Heard, default: str) -> Stretch | None:
    """Ask for all of a sound, one of its labels, or a time; None for a part that holds no frame."""
    trace = heard.trace
    labelled = _labelled_parts(trace, heard.tracks)
    part = ask(Option(name, "Part", "", (ALL, *labelled, BETWEEN), default))
    if part == ALL:
        return whole(trace)
    if part in labelled:
        return labelled[part]
    begin, end = trace.audio.start, trace.audio.start + trace.audio.duration
    middle = (begin + end) / 2
    start, stop = _ask_times(f"{name}_times", begin, end, (begin, middle) if name.startswith("a") else (middle, end))
    try:
        return stretch_between(trace, start, stop)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _ask_times(name: str, begin: float, end: float, default: tuple[float, float]) -> tuple[float, float]:
    """Draw a slider with two ends, in seconds, and return them."""

    def read(text: str) -> tuple[float, float]:
        start, stop = map(float, text.split("to"))
        return start, stop

    recall(name, default, read)
    start, stop = (min(max(number, begin), end) for number in st.session_state[name])  # NaN becomes the beginning
    st.session_state[name] = (start, stop) if start < stop else (begin, end)
    start, stop = cast(
        tuple[float, float],
        st.slider("From and to (s)", begin, end, step=0.02, key=name, persist_state="session"),
    )
    note(name, f"{start:.2f}to{stop:.2f}", f"{default[0]:.2f}to{default[1]:.2f}")
    return start, stop


def _labelled_parts(trace: Trace, tracks: Sequence[LabelTrack]) -> dict[str, Stretch]:
    """Every label with a frame in it, words first: what the menu says -> the stretch."""
    parts: dict[str, Stretch] = {}
    for track in sorted(tracks, key=lambda track: track.name.lower() != "words"):
        for start, end, text in track.between(trace.audio.start, trace.audio.start + trace.audio.duration):
            try:
                parts[f"{text} · {track.name}, {start:.2f} to {end:.2f} s"] = stretch_between(trace, start, end, text)
            except ValueError:  # too short for a frame
                continue
    return {said: part for said, part in parts.items() if part.name and not said.startswith(" ·")}


def _parts_to_begin_with(trace: Trace, tracks: Sequence[LabelTrack]) -> tuple[str, str]:
    """The longest label that is there twice, else the two longest ones, else two times."""
    parts = _labelled_parts(trace, [track for track in tracks if track.name.lower() == "words"] or tracks[:1])
    if len(parts) < 2:
        return BETWEEN, BETWEEN
    longest = sorted(parts, key=lambda said: parts[said].num_frames, reverse=True)
    counts = Counter(part.name for part in parts.values())
    name = next((parts[said].name for said in longest if counts[parts[said].name] > 1), None)
    first, second, *_ = (
        [said for said in parts if parts[said].name == name]
        if name
        else sorted(longest[:2], key=lambda said: parts[said].start)
    )
    return first, second


SIDE_BY_SIDE = Workbench("side-by-side", "Side by side", "splitscreen_vertical_add", show)
