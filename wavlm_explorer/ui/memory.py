"""What one browser session remembers between its reruns, and nobody else sees."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

Value = TypeVar("Value")


def remember(shelf: str, key: Hashable, make: Callable[[], Value], capacity: int = 4) -> Value:
    """Return what was made for `key` before, or make it; each shelf keeps the latest `capacity` things.

    Keys are digests, not arrays: Streamlit's own cache hashes a large array by a sample of it, so that two sounds
    could be taken for one.
    """
    things: OrderedDict[Hashable, Value] = st.session_state.setdefault(f"_{shelf}", OrderedDict())
    if key not in things:
        things[key] = make()
    things.move_to_end(key)
    while len(things) > capacity:
        things.popitem(last=False)
    return things[key]
