"""The moments of the bundled model's training on the page: a component that is told where to begin, and plays alone."""

import streamlit as st

from ...birth import load_birth
from ...tracing import Trace
from ..link import note, recall_number
from .declaring import declare, facts_of_page
from .moments import moments_digest
from .place import note_place, recall_place, take_numbers
from .serving import base_address

KEYS = {"moment": "birth_moment", "layer": "layer", "head": "head"}  # in the component -> in the session

_moments = declare("birth", "birth.js", "viewer birth")


def show_moments(trace: Trace, words: str) -> int:
    """Draw the moments, with words (markdown that is plain but for bold) beside them; return the one that is chosen.

    The moment lives in session and link, as `birth_moment`; layer and head are those that all pages share, in so far
    as the bundled model has them.
    """
    last = len(load_birth().steps) - 1
    layers, heads = load_birth().maps.shape[1:3]
    shared = recall_place(trace)
    moment = recall_number("birth_moment", last, 0, last)
    _moments(
        key="moments",
        data={
            **facts_of_page(),
            "arrays": f"{base_address()}/moments/{moments_digest()}",
            "words": words,
            "place": {
                "moment": moment,
                "layer": min(shared["layer"], layers - 1),
                "head": min(shared["head"], heads - 1),
            },
        },
        on_place_change=lambda: take_numbers(st.session_state["moments"].get("place"), KEYS),
    )
    note("birth_moment", moment, last)
    note_place(trace)
    return moment
