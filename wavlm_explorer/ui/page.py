"""One view as a page: its lesson, its choices, its pictures."""

from collections.abc import Callable, Sequence

import streamlit as st

from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Lesson, View
from .birth import show_birth
from .cloze import show_cloze
from .exhibits import do_what_is_wanted, show_view_items
from .instrument import show_instrument
from .what_if import show_what_if
from .widgets import ask_all

ShowInstrument = Callable[[View, Trace, Palette, Sequence[LabelTrack]], None]
INSTRUMENTS: dict[str, ShowInstrument] = {  # views whose pictures one can point at
    "attention": show_instrument,
    "what-if": show_what_if,
    "cloze": show_cloze,
    "birth": show_birth,
}


def show_view(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the page of a view. Only the part below the lesson runs again when a choice changes."""
    st.title(view.title)
    show_lesson(view.lesson)
    do_what_is_wanted()
    if view.name in INSTRUMENTS:
        INSTRUMENTS[view.name](view, trace, palette, tracks)
    else:
        _show_choices(view, trace, palette)


def show_lesson(lesson: Lesson) -> None:
    """Say what is shown, by which equation, and what to try."""
    st.markdown(lesson.what)
    show_equation(lesson)
    show_try(lesson)


def show_equation(lesson: Lesson) -> None:
    """Write the equation, and what each of its symbols means."""
    with st.container(border=True, gap="small"):
        st.latex(lesson.equation)
        meanings = [f"${symbol}$ {meaning}" for symbol, meaning in lesson.symbols]
        half = (len(meanings) + 1) // 2
        for column, part in zip(st.columns(2, gap="medium"), (meanings[:half], meanings[half:]), strict=True):
            column.caption("  \n".join(part))


def show_try(lesson: Lesson) -> None:
    """Say what to try."""
    st.markdown(f":primary-background[**Try this**] {lesson.try_this}")


@st.fragment
def _show_choices(view: View, trace: Trace, palette: Palette) -> None:
    """Ask for the choices and show what they give."""
    show_view_items(view, trace, palette, ask_all(view.choices(trace)))
