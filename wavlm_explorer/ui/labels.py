"""Labels of the sound, in the sidebar: those that come with a sample, or a file beside one's own recording."""

import streamlit as st

from ..audio import Audio
from ..labels import LabelError, LabelTrack, load_labels
from ..samples import SAMPLES, load_sample, sample_textgrid
from .markdown import literal
from .memory import remember

MAX_UPLOAD_MEGABYTES = 16

Tracks = tuple[LabelTrack, ...]


def choose_labels(audio: Audio | None) -> Tracks:
    """Draw the widget, if one is needed, and return the tracks; none while there are none.

    Labels belong to the recording by its name: another recording begins without.
    """
    if audio is None:
        return ()
    if (
        audio.name in SAMPLES
        and remember("samples", audio.name, lambda: load_sample(audio.name)).digest == audio.digest
    ):
        return remember("labels", audio.name, lambda: load_labels(sample_textgrid(audio.name).encode()))
    kept: dict[str, Tracks] = st.session_state.setdefault("_own_labels", {})  # survives a look at the samples
    file = st.file_uploader(
        "Labels", max_upload_size=MAX_UPLOAD_MEGABYTES, key=f"labels of {audio.name}",
        help="Phones, words or anything else with times: a TextGrid, Audacity labels, or a CTM. Times count from the "
        "start of the file.",
        on_change=kept.clear,
    )  # fmt: skip
    if file is not None and audio.name not in kept:
        try:
            kept[audio.name] = load_labels(file)
        except LabelError as error:
            st.error(literal(error), icon=":material/error:")
    tracks = kept.get(audio.name, ())
    if tracks:
        _describe(tracks, audio)
    return tracks


def _describe(tracks: Tracks, audio: Audio) -> None:
    """Say how many labels the part has; labels that all lie elsewhere are worth a warning."""
    start, end = audio.start, audio.start + audio.duration
    labelled = [interval for track in tracks for interval in track.intervals if interval.text]
    inside = [sum(bool(interval.text) for interval in track.between(start, end)) for track in tracks]
    if not labelled:
        st.warning("None of these labels has a text.", icon=":material/label_off:")
    elif not any(inside):
        first, last = min(interval.start for interval in labelled), max(interval.end for interval in labelled)
        st.warning(
            f"These labels lie from {first:.2f} to {last:.2f} s, outside the part that is shown "
            f"({start:.2f} to {end:.2f} s). Are they of another recording?",
            icon=":material/label_off:",
        )
    else:
        counts = [f"{literal(track.name)}: {count}" for track, count in zip(tracks, inside, strict=True)]
        if outside := len(labelled) - sum(inside):
            counts.append(f"outside this part: {outside}")
        st.caption(" · ".join(counts))
