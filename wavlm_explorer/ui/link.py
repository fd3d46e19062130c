"""The page's link carries what is chosen: a choice is read from it once, and written to it whenever it changes.

Streamlit can tie a widget to the link by itself, but its tie breaks when the visitor goes to a page that has the same
widget: the choice is kept, the link forgets it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

Number = TypeVar("Number", int, float)


def recall(name: str, default: Any, read: Callable[[str], Any]) -> None:
    """Give the widget of that key its first value: what the link says, if `read` can make sense of it.

    `read` turns the link's text into a value that may be chosen, or raises ValueError.
    """
    if name in st.session_state:
        return
    try:
        st.session_state[name] = read(st.query_params[name])
    except (KeyError, ValueError):
        st.session_state[name] = default


def recall_number(name: str, default: Number, minimum: Number, maximum: Number) -> Number:
    """The same for a number, which is brought into range first; NaN becomes the minimum."""
    recall(name, default, type(default))
    known, limits = st.session_state[name], f"_limits_of_{name}"
    value = min(maximum, max(minimum, known))  # in this order: NaN is neither more nor less
    # A slider of other limits is another to Streamlit, and must be told. Else nothing is written: it would take the
    # place of what the visitor has chosen since.
    if value != known or st.session_state.get(limits) != (minimum, maximum):
        st.session_state.update({name: value, limits: (minimum, maximum)})
    return value


def note(name: str, value: Any, default: Any) -> None:
    """Write a choice to the link; the default needs no mention."""
    if value == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)


def recall_texts(name: str, most: int) -> None:
    """The same for a widget that holds texts, each once: the link says its name again for each; so many are read."""
    if name not in st.session_state:
        st.session_state[name] = list(dict.fromkeys(filter(None, st.query_params.get_all(name))))[:most]


def note_texts(name: str, texts: Sequence[str]) -> None:
    """Write several texts to the link, each under the same name."""
    if not texts:
        st.query_params.pop(name, None)
    elif st.query_params.get_all(name) != list(texts):
        st.query_params[name] = list(texts)
