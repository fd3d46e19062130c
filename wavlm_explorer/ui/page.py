"""One view as a page: its lesson, its choices, its pictures."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Lesson, View
from .cloze import show_cloze
from .exhibits import do_what_is_wanted, offer_view, show_exhibits
from .instrument import show_instrument
from .widgets import STEP_SECONDS, ask_all, is_playing

INSTRUMENTS = {"attention": show_instrument, "cloze": show_cloze}  # views whose pictures one can point at


def show_view(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the page of a view. Only the part below the lesson runs again when a choice changes."""
    st.title(view.title)
    show_lesson(view.lesson)
    if view.name in INSTRUMENTS:
        INSTRUMENTS[view.name](view, trace, palette, tracks)
    else:
        do_what_is_wanted()
        playing = is_playing(view.choices(trace))
        fragment = st.fragment(_show_choices, run_every=STEP_SECONDS if playing else None)
        fragment(view, trace, palette, playing)


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


def _show_choices(view: View, trace: Trace, palette: Palette, playing: bool) -> None:
    """Ask for the choices and show what they give; `playing`: whether this runs again by itself."""
    choices = view.choices(trace)
    chosen = ask_all(choices)
    if is_playing(choices) != playing:
        st.rerun()  # the clock of a fragment is set from outside
    make_items = partial(view.exhibits, trace, **chosen)
    offer_view(view, trace, palette, chosen, show_exhibits(make_items(palette)), make_items)
