"""One view as a page: its lesson, its choices, its pictures."""

import math
from collections.abc import Sequence

import streamlit as st

from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Lesson, View
from .exhibits import describe_choices, do_what_is_wanted, offer_all, show_exhibits
from .instrument import show_instrument
from .widgets import ask

MAX_CHOICES_IN_ROW = 4
INSTRUMENTS = {"attention"}  # views whose pictures one can point at


def show_view(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the page of a view. Only the part below the lesson runs again when a choice changes."""
    st.title(view.title)
    show_lesson(view.lesson)
    if view.name in INSTRUMENTS:
        show_instrument(view, trace, palette, tracks)
    else:
        do_what_is_wanted()
        _show_choices(view, trace, palette)


def show_lesson(lesson: Lesson) -> None:
    """Say what is shown, by which equation, and what to try."""
    st.markdown(lesson.what)
    with st.container(border=True, gap="small"):
        st.latex(lesson.equation)
        meanings = [f"${symbol}$ {meaning}" for symbol, meaning in lesson.symbols]
        half = (len(meanings) + 1) // 2
        for column, part in zip(st.columns(2, gap="medium"), (meanings[:half], meanings[half:]), strict=True):
            column.caption("  \n".join(part))
    st.markdown(f":primary-background[**Try this**] {lesson.try_this}")


@st.fragment
def _show_choices(view: View, trace: Trace, palette: Palette) -> None:
    choices = view.choices(trace)
    per_row = math.ceil(len(choices) / math.ceil(len(choices) / MAX_CHOICES_IN_ROW))
    chosen, asked, columns = view.defaults(trace), {}, []
    with st.container(border=True):
        for choice in choices:
            if choice.is_asked(chosen):
                columns = columns or list(st.columns(per_row, gap="medium", vertical_alignment="bottom"))
                with columns.pop(0):
                    chosen[choice.name] = asked[choice.name] = ask(choice)
    shown = show_exhibits(view.exhibits(trace, palette, **chosen))
    offer_all(view.name, describe_choices(trace, asked), shown)
