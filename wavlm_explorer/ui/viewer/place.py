"""Where in a trace the visitor is: layer, head, scale, window and kept frame, in the session and in the page's link."""

from typing import Any

import streamlit as st

from ...figures.style import WEIGHT_SCALES
from ...tracing import Trace
from ..link import note, recall

FRAMES = ("window", "locked")  # two frames each: first and one behind the last; query and key
SIDES = ("after", "before", "difference")  # of a change
Names = tuple[str, str]  # of layer and head in session and link
CHOSEN: Names = ("layer", "head")  # which all pages share
SHOWN: Names = ("shown_layer", "shown_head")  # where a change is looked at, which is not where it is made


def forget_frames(digest: str) -> None:
    """Frames belong to a sound: another one is shown whole."""
    if st.session_state.get("_frames_of", digest) != digest:
        st.session_state.update(dict.fromkeys(FRAMES))
    st.session_state["_frames_of"] = digest


def recall_place(trace: Trace, names: Names = CHOSEN) -> dict[str, Any]:
    """Return where to begin: what the session knows, else what the link says, within what the trace has."""
    recall(names[0], trace.num_layers // 2, int)
    recall(names[1], 0, int)
    recall("scale", WEIGHT_SCALES[0], str)
    for name in FRAMES:
        recall(name, None, _read_frames)
    state = st.session_state
    for name, count in zip(names, (trace.num_layers, trace.num_heads), strict=True):
        state[name] = min(max(state[name], 0), count - 1)
    if state["scale"] not in WEIGHT_SCALES:
        state["scale"] = WEIGHT_SCALES[0]
    found = {name: state[name] for name in ("scale", *FRAMES)}
    return {"layer": state[names[0]], "head": state[names[1]], **found}


def recall_side() -> str:
    """Return which side of a change is shown."""
    recall("side", SIDES[0], str)
    if st.session_state["side"] not in SIDES:
        st.session_state["side"] = SIDES[0]
    return st.session_state["side"]


def take_place(place: Any, names: Names = CHOSEN) -> None:
    """Remember where the viewer says it is; what does not look like a place is left out."""
    if not isinstance(place, dict):
        return
    for name, key in zip(("layer", "head"), names, strict=True):
        if isinstance(place.get(name), int):
            st.session_state[key] = place[name]
    for name, known in (("scale", WEIGHT_SCALES), ("side", SIDES)):
        if place.get(name) in known:
            st.session_state[name] = place[name]
    for name in FRAMES:
        st.session_state[name] = _as_frames(place.get(name))


def note_place(trace: Trace, names: Names = CHOSEN) -> None:
    """Write the place to the link; frames as 120-260."""
    state = st.session_state
    note(names[0], state[names[0]], trace.num_layers // 2 if names == CHOSEN else None)
    note(names[1], state[names[1]], 0 if names == CHOSEN else None)
    note("scale", state["scale"], WEIGHT_SCALES[0])
    if names == SHOWN:
        note("side", state["side"], SIDES[0])
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
