"""The cloze on the page: a component in which one hides a span of the sound; what is hidden comes back."""

from typing import Any

import streamlit as st

from ...tracing import Trace
from ...views.cloze import MOST_HIDDEN, choices, variants
from ..link import note, recall_number
from .atlas import is_comfortable
from .declaring import declare, facts_of_clip, facts_of_page
from .place import take_numbers

_cloze = declare("cloze", "cloze.js", "viewer cloze")


def show_cloze_viewer(trace: Trace) -> dict[str, Any]:
    """Draw the sound, what is hidden of it and what the model guesses; return what is chosen.

    The hidden frames, and the head that is switched off beside, live in session and link. A change of them runs the
    fragment again in which this stands.
    """
    numbers = choices(trace)
    chosen = {one.name: recall_number(one.name, one.default, one.minimum, one.maximum) for one in numbers}
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
        on_place_change=lambda: take_numbers(st.session_state["cloze"].get("place"), {name: name for name in chosen}),
    )
    for one in numbers:
        note(one.name, chosen[one.name], one.default)
    return chosen
