"""A view's choices as Streamlit widgets, each tied to the page's link."""

from typing import Any

import streamlit as st

from ..views import Choice, Fraction, Option, Redraw, WholeNumber

MAX_SIDE_BY_SIDE = 4  # options; more become a menu


def ask(choice: Choice) -> Any:
    """Draw one choice and return what is chosen; what the link says is brought into range first."""
    match choice:
        case WholeNumber() if choice.minimum == choice.maximum:
            return choice.minimum
        case WholeNumber() | Fraction():
            return _ask_number(choice)
        case Option():
            return _ask_option(choice)
        case Redraw():
            return _ask_redraw(choice)
        case _:
            raise TypeError(f"expected a choice that has a widget; found {type(choice).__name__}")


def _ask_number(choice: WholeNumber | Fraction) -> Any:
    known = st.session_state.get(choice.name)
    if known is not None and not choice.minimum <= known <= choice.maximum:
        st.session_state[choice.name] = min(max(known, choice.minimum), choice.maximum)
    step = choice.step if isinstance(choice, Fraction) else 1
    return st.slider(
        choice.label, choice.minimum, choice.maximum, choice.default, step, key=choice.name, bind="query-params",
        help=choice.help or None,
    )  # fmt: skip


def _ask_option(choice: Option) -> Any:
    if st.session_state.get(choice.name, choice.default) not in choice.options:
        st.session_state[choice.name] = choice.default
    if len(choice.options) <= MAX_SIDE_BY_SIDE:
        return st.segmented_control(
            choice.label, choice.options, default=choice.default, required=True, key=choice.name, bind="query-params",
            help=choice.help or None,
        )  # fmt: skip
    return st.selectbox(
        choice.label, choice.options, choice.options.index(choice.default), key=choice.name, bind="query-params",
        help=choice.help or None,
    )  # fmt: skip


def _ask_redraw(choice: Redraw) -> int:
    def draw_again() -> None:
        st.session_state[choice.name] = st.session_state.get(choice.name, 0) + 1

    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            "Draw no.", 0, None, 0, 1, key=choice.name, bind="query-params", width=110, help=choice.help or None
        )
        st.button(choice.label, on_click=draw_again, icon=":material/casino:", key=f"{choice.name}_again")
    return int(number or 0)
