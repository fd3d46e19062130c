"""The page of interventions: what is changed, the viewer of both passes, and what is drawn only when it is opened."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import streamlit as st

from .. import effects
from ..figures.style import Palette
from ..interventions import Intervention
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Item, Offer, View
from ..views.changes import chosen_changes
from ..views.what_if import explain_choices, offer_sweep, summarize
from .exhibits import offer_view, show_exhibits, show_when_opened
from .memory import remember
from .viewer.atlas import is_comfortable
from .viewer.change import Change
from .viewer.component import show_change
from .viewer.place import SHOWN
from .viewer.serving import offer
from .widgets import ask, ask_all

LATER = (*SHOWN, "measure")  # choices that are made in the viewer, or where they are needed


@st.fragment
def show_what_if(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the choices, what they do in words, and the viewer of the passes with and without.

    All of it runs again when a choice changes, or the viewer has been at rest for a moment; a pass that is known does
    not, and a closed section costs nothing.
    """
    chosen = ask_all([choice for choice in view.choices(trace) if choice.name not in LATER])
    changes = chosen_changes(trace, chosen)
    with st.container():  # the viewer keeps its place, whether or not there is something to explain
        show_exhibits(explain_choices(trace, changes))
    try:
        change = _change_once(trace, changes.acting)
        _begin_where_most_moves(change)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.error(f"This could not be computed here: {error}", icon=":material/memory:")
        return
    st.markdown(summarize(trace, change.after, changes.acting))
    show_change(change, tracks)
    show_exhibits(offer_sweep(trace))
    show_when_opened(partial(_show_what_to_keep, view, trace, palette, chosen))


def _change_once(trace: Trace, interventions: Sequence[Intervention]) -> Change:
    """Let the clip pass under what acts; the session keeps the latest, so that the viewer can fetch from it."""
    return remember(
        "passes_with_a_change",
        (offer(trace), repr(interventions)),
        lambda: Change(trace, effects.changed(trace, interventions)),
        capacity=1,
    )


def _begin_where_most_moves(change: Change) -> None:
    """Look at the head that moves most, unless session or link know better, or finding it would take long."""
    known = [name for name in SHOWN if name in st.session_state or name in st.query_params]
    if not known and is_comfortable(change.before):
        st.session_state.update(zip(SHOWN, change.moves_most(), strict=True))


def _show_what_to_keep(view: View, trace: Trace, palette: Palette, chosen: dict[str, Any]) -> None:
    """Draw what can be saved, of the map that the viewer shows."""
    place = {name: st.session_state[name] for name in SHOWN}
    place |= {choice.name: ask(choice) for choice in view.choices(trace) if choice.name == "measure"}

    def make_items(palette: Palette) -> Iterator[Item]:
        items = view.exhibits(trace, palette, **chosen, **place)
        return (item for item in items if not isinstance(item, Offer))

    offer_view(view, trace, palette, chosen | place, show_exhibits(make_items(palette)), make_items)
