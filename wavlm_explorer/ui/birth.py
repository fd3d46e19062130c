"""The page of the birth of the heads: the moments to play, and below them what can be kept of one."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ..birth import course, load_birth
from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import View
from ..views.birth import describe
from .exhibits import offer_view, show_exhibits
from .viewer.birth import show_moments


@st.fragment
def show_birth(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the moments, and the pictures of the one that is chosen in them once somebody opens these."""
    birth = load_birth()
    chosen = {"birth_moment": show_moments(trace, describe(birth, course(birth)))}
    section = st.expander("Pictures and numbers to keep", key="picture_section", on_change="rerun")
    with section:
        if section.open:
            make_items = partial(view.exhibits, trace, **chosen)
            offer_view(view, trace, palette, chosen, show_exhibits(make_items(palette)), make_items)
