"""The page of the cloze: what one hides and hears, and below it the pictures, drawn when somebody opens them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ..excerpt import can_hear
from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import View
from .exhibits import offer_view, show_exhibits
from .viewer.cloze import show_cloze_viewer


@st.fragment
def show_cloze(view: View, trace: Trace, palette: Palette, _: Sequence[LabelTrack]) -> None:
    """Draw the component and the section below it; where nothing can be hidden, say why."""
    if trace.num_frames < 2 or not can_hear(trace.model):
        chosen = view.defaults(trace)
        make_items = partial(view.exhibits, trace, **chosen)
        offer_view(view, trace, palette, chosen, show_exhibits(make_items(palette)), make_items)
        return
    chosen = show_cloze_viewer(trace)
    section = st.expander("Pictures and numbers to keep", key="cloze_section", on_change="rerun")
    with section:
        if section.open:
            make_items = partial(view.exhibits, trace, **chosen)
            offer_view(view, trace, palette, chosen, show_exhibits(make_items(palette)), make_items)
