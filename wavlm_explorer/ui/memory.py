"""What one browser session remembers between its reruns, and nobody else sees."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

Value = TypeVar("Value")


MOST_BYTES = 1 << 30  # of one shelf


def remember(
    shelf: str,
    key: Hashable,
    make: Callable[[], Value],
    capacity: int = 4,
    size: Callable[[Value], int] = lambda _: 0,
) -> Value:
    """Return what was made for `key` before, or make it; each shelf keeps the latest `capacity` things.

    It keeps fewer where their sizes, in bytes, add up to more than MOST_BYTES, but always the latest.

    Keys are digests, not arrays: Streamlit's own cache hashes a large array by a sample of it, so that two sounds
    could be taken for one.
    """
    things: OrderedDict[Hashable, Value] = st.session_state.setdefault(f"_{shelf}", OrderedDict())
    if key not in things:
        things[key] = make()
    things.move_to_end(key)
    while len(things) > 1 and (len(things) > capacity or sum(map(size, things.values())) > MOST_BYTES):
        things.popitem(last=False)
    return things[key]
