"""A view's choices as Streamlit widgets, each kept in the session and in the page's link."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ..views import Choice, Collection, Fraction, Option, Redraw, Setting, WholeNumber
from .link import note, note_texts, recall, recall_number, recall_texts

MAX_CHOICES_IN_ROW = 4
MAX_SIDE_BY_SIDE = 4  # options; more become a menu
MAX_COLLECTED = 30  # texts: a link could bring thousands


def ask(choice: Choice) -> Any:
    """Draw one choice and return what is chosen; what the link says is brought into range first."""
    match choice:
        case WholeNumber() if choice.minimum == choice.maximum:
            return choice.minimum
        case WholeNumber() | Fraction():
            value = _ask_number(choice)
        case Option():
            value = _ask_option(choice)
        case Redraw():
            value = _ask_redraw(choice)
        case _:
            raise TypeError(f"expected a choice that has a widget; found {type(choice).__name__}")
    note(choice.name, value, getattr(choice, "default", 0))
    return value


def ask_all(choices: Sequence[Choice]) -> dict[str, Any]:
    """Draw several choices in a frame, in rows of equal length, and return what is chosen by their names.

    What does not matter beside what is chosen already is not asked, and has its default.
    """
    per_row = math.ceil(len(choices) / math.ceil(len(choices) / MAX_CHOICES_IN_ROW))
    chosen = {choice.name: getattr(choice, "default", 0) for choice in choices}
    columns: list[Any] = []
    with st.container(border=True):
        for choice in choices:
            if isinstance(choice, Collection):
                chosen[choice.name], columns = _ask_collection(choice, chosen), []
            elif choice.is_asked(chosen):
                columns = columns or list(st.columns(per_row, gap="medium", vertical_alignment="bottom"))
                with columns.pop(0):
                    chosen[choice.name] = ask(choice)
    return chosen


def ask_seconds(name: str, label: str, minimum: float, maximum: float | None, default: float, help: str) -> float:
    """Draw a field for a number of seconds and return it."""

    def read(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(text)
        return value

    recall(name, default, read)
    highest = math.inf if maximum is None else maximum
    st.session_state[name] = min(max(st.session_state[name] or minimum, minimum), highest)
    value = st.number_input(
        label, minimum, maximum, step=1.0, key=name, format="%.2f", help=help, persist_state="session"
    )
    note(name, value, default)
    return float(value)


def _ask_number(choice: WholeNumber | Fraction) -> Any:
    recall_number(choice.name, choice.default, choice.minimum, choice.maximum)
    if isinstance(choice, Setting):
        _start_again(choice)
    step = choice.step if isinstance(choice, Fraction) else 1
    return st.slider(
        choice.label, choice.minimum, choice.maximum, step=step, key=choice.name, help=choice.help or None,
        persist_state="session",
    )  # fmt: skip


def _start_again(choice: Setting) -> None:
    """Choose a model's own setting once it is another model's than before."""
    known = f"_own_{choice.name}"
    if st.session_state.setdefault(known, choice.default) != choice.default:
        st.session_state.update({known: choice.default, choice.name: choice.default})


def _ask_option(choice: Option) -> Any:
    recall(choice.name, choice.default, str)
    if st.session_state[choice.name] not in choice.options:
        st.session_state[choice.name] = choice.default
    if len(choice.options) <= MAX_SIDE_BY_SIDE:
        return st.segmented_control(
            choice.label, choice.options, required=True, key=choice.name, help=choice.help or None,
            persist_state="session",
        )  # fmt: skip
    return st.selectbox(
        choice.label, choice.options, key=choice.name, help=choice.help or None, persist_state="session"
    )


def _ask_collection(choice: Collection, chosen: Mapping[str, Any]) -> tuple[str, ...]:
    """Draw what is collected, a cross on each, and the button that adds what the choices before it describe."""
    recall_texts(choice.name, MAX_COLLECTED)
    known, text = st.session_state[choice.name], choice.describe(chosen)

    def add() -> None:
        st.session_state[choice.name] = [*known, text]
        st.session_state.update(choice.then)

    left, right = st.columns([1, 4], gap="medium", vertical_alignment="bottom")
    left.button(
        choice.add, on_click=add, icon=":material/add:", key=f"{choice.name}_add", width="stretch",
        disabled=text is None or text in known or len(known) >= MAX_COLLECTED,
    )  # fmt: skip
    texts = right.multiselect(
        choice.label, known, key=choice.name, help=choice.help or None, accept_new_options=True,
        max_selections=MAX_COLLECTED,
        placeholder=f"None yet; one can also be typed: {choice.example}", persist_state="session",
    )  # fmt: skip
    note_texts(choice.name, texts)
    return tuple(texts)


def _ask_redraw(choice: Redraw) -> int:
    def draw_again() -> None:
        st.session_state[choice.name] += 1

    recall(choice.name, 0, lambda text: max(0, int(text)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            "Draw no.", 0, None, step=1, key=choice.name, width=110, help=choice.help or None, persist_state="session"
        )
        st.button(choice.label, on_click=draw_again, icon=":material/casino:", key=f"{choice.name}_again")
    return int(number or 0)
