"""The cloze on the page: a component in which one hides a span of the sound; what is hidden comes back."""

from typing import Any

import streamlit as st

from ...tracing import Trace
from ...views import Choice, WholeNumber
from ...views.cloze import MOST_HIDDEN, VIEW, variants
from ..link import note, recall
from .atlas import is_comfortable
from .declaring import declare, facts_of_clip, facts_of_page

_cloze = declare("cloze", "cloze.js", "viewer cloze")


def show_cloze_viewer(trace: Trace) -> dict[str, Any]:
    """Draw the sound, what is hidden of it and what the model guesses; return what is chosen.

    The hidden frames, and the head that is switched off beside, live in session and link. A change of them runs the
    fragment again in which this stands.
    """
    choices = VIEW.choices(trace)
    chosen = {choice.name: _recall(choice) for choice in choices}
    hidden_from = chosen["hidden_from"]
    _cloze(
        key="cloze",
        data={
            **facts_of_page(),
            **facts_of_clip(trace),
            "most_hidden": min(MOST_HIDDEN, trace.num_frames - 1),
            "variants": list(variants(trace, 0, 0))[:-1],  # the last is that of the chosen head
            "at_once": is_comfortable(trace),
            "place": chosen | {"hidden_to": min(hidden_from + chosen["hidden_frames"], trace.num_frames)},
        },
        on_place_change=lambda: _take(choices, st.session_state["cloze"].get("place")),
    )
    for choice in choices:
        note(choice.name, chosen[choice.name], getattr(choice, "default", 0))
    return chosen


def _recall(choice: Choice) -> int:
    """What the session knows of a choice, else what the link says, within what the trace has."""
    assert isinstance(choice, WholeNumber)
    recall(choice.name, choice.default, int)
    st.session_state[choice.name] = min(max(st.session_state[choice.name], choice.minimum), choice.maximum)
    return st.session_state[choice.name]


def _take(choices: tuple[Choice, ...], place: Any) -> None:
    """Remember what the component says; what does not look like a place is left out."""
    if not isinstance(place, dict):
        return
    for choice in choices:
        if isinstance(place.get(choice.name), int):
            st.session_state[choice.name] = place[choice.name]
