"""The page of the cloze: what one hides and hears, and below it the pictures, drawn when somebody opens them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ..excerpt import can_hear
from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import View
from .exhibits import show_view_items, show_when_opened
from .viewer.cloze import show_cloze_viewer


@st.fragment
def show_cloze(view: View, trace: Trace, palette: Palette, _: Sequence[LabelTrack]) -> None:
    """Draw the component and the section below it; where nothing can be hidden, say why."""
    if trace.num_frames < 2 or not can_hear(trace.model):
        show_view_items(view, trace, palette, view.defaults(trace))
        return
    chosen = show_cloze_viewer(trace)
    show_when_opened(partial(show_view_items, view, trace, palette, chosen))
