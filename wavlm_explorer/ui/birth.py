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
from .exhibits import show_view_items, show_when_opened
from .viewer.birth import show_moments


@st.fragment
def show_birth(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the moments, and the pictures of the one that is chosen in them once somebody opens these."""
    birth = load_birth()
    chosen = {"birth_moment": show_moments(trace, describe(birth, course(birth)))}
    show_when_opened(partial(show_view_items, view, trace, palette, chosen))
