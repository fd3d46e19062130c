"""Where in a trace the visitor is: layer, head, scale, window and kept frame, in the session and in the page's link."""

from typing import Any

import streamlit as st

from ...figures.style import WEIGHT_SCALES
from ...tracing import Trace
from ..link import note, recall

FRAMES = ("window", "locked")  # two frames each: first and one behind the last; query and key


def forget_frames(digest: str) -> None:
    """Frames belong to a sound: another one is shown whole."""
    if st.session_state.get("_frames_of", digest) != digest:
        st.session_state.update(dict.fromkeys(FRAMES))
    st.session_state["_frames_of"] = digest


def recall_place(trace: Trace) -> dict[str, Any]:
    """Return where to begin: what the session knows, else what the link says, within what the trace has."""
    recall("layer", trace.num_layers // 2, int)
    recall("head", 0, int)
    recall("scale", WEIGHT_SCALES[0], str)
    for name in FRAMES:
        recall(name, None, _read_frames)
    state = st.session_state
    state["layer"] = min(max(state["layer"], 0), trace.num_layers - 1)
    state["head"] = min(max(state["head"], 0), trace.num_heads - 1)
    if state["scale"] not in WEIGHT_SCALES:
        state["scale"] = WEIGHT_SCALES[0]
    return {name: state[name] for name in ("layer", "head", "scale", *FRAMES)}


def take_place(place: Any) -> None:
    """Remember where the viewer says it is; what does not look like a place is left out."""
    if not isinstance(place, dict):
        return
    for name in ("layer", "head"):
        if isinstance(place.get(name), int):
            st.session_state[name] = place[name]
    if place.get("scale") in WEIGHT_SCALES:
        st.session_state["scale"] = place["scale"]
    for name in FRAMES:
        st.session_state[name] = _as_frames(place.get(name))


def note_place(trace: Trace) -> None:
    """Write the place to the link; frames as 120-260."""
    state = st.session_state
    note("layer", state["layer"], trace.num_layers // 2)
    note("head", state["head"], 0)
    note("scale", state["scale"], WEIGHT_SCALES[0])
    for name in FRAMES:
        note(name, state[name] and "-".join(map(str, state[name])), None)


def _as_frames(pair: Any) -> tuple[int, int] | None:
    match pair:
        case [int(first), int(second)]:
            return first, second
    return None


def _read_frames(text: str) -> tuple[int, int]:
    first, second = map(int, text.split("-"))
    return first, second
