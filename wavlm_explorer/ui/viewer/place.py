"""Where in a trace the visitor is: layer, head, scale, window and kept frame, in the session and in the page's link."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ...figures.style import WEIGHT_SCALES
from ...tracing import Trace
from ..link import note, recall, recall_number

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
    layer = recall_number(names[0], trace.num_layers // 2, 0, trace.num_layers - 1)
    head = recall_number(names[1], 0, 0, trace.num_heads - 1)
    recall("scale", WEIGHT_SCALES[0], str)
    for name in FRAMES:
        recall(name, None, _read_frames)
    state = st.session_state
    if state["scale"] not in WEIGHT_SCALES:
        state["scale"] = WEIGHT_SCALES[0]
    return {"layer": layer, "head": head, **{name: state[name] for name in ("scale", *FRAMES)}}


def recall_side() -> str:
    """Return which side of a change is shown."""
    recall("side", SIDES[0], str)
    if st.session_state["side"] not in SIDES:
        st.session_state["side"] = SIDES[0]
    return st.session_state["side"]


def take_place(place: Any, names: Names = CHOSEN) -> None:
    """Remember where the viewer says it is; what does not look like a place is left out."""
    take_numbers(place, dict(zip(("layer", "head"), names, strict=True)))
    if not isinstance(place, dict):
        return
    for name, known in (("scale", WEIGHT_SCALES), ("side", SIDES)):
        if place.get(name) in known:
            st.session_state[name] = place[name]
    for name in FRAMES:
        st.session_state[name] = _as_frames(place.get(name))


def take_numbers(place: Any, keys: Mapping[str, str]) -> None:
    """Remember whole numbers that a component says, each under its key in the session; all else is left out."""
    if not isinstance(place, dict):
        return
    for name, key in keys.items():
        if isinstance(place.get(name), int):
            st.session_state[key] = place[name]


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
