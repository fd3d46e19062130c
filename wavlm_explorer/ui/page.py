"""One view as a page: its lesson, its choices, its pictures with their files."""

import io
import math
from collections.abc import Iterator

import numpy as np
import streamlit as st

from ..figures.style import Palette
from ..tracing import Trace
from ..views import Exhibit, Lesson, Note, View
from .viewer.component import show_viewer
from .widgets import ask

MAX_CHOICES_IN_ROW = 4
INSTRUMENTS = {"attention": show_viewer}  # views whose pictures one can point at
SCREEN_DPI = 165  # sharp on a fine screen, drawn twice as fast as what is saved


def show_view(view: View, trace: Trace, palette: Palette) -> None:
    """Draw the page of a view. Only the part below the lesson runs again when a choice changes."""
    st.title(view.title)
    _show_lesson(view.lesson)
    if view.name in INSTRUMENTS:
        INSTRUMENTS[view.name](trace)
    else:
        _show_exhibits(view, trace, palette)


def _show_lesson(lesson: Lesson) -> None:
    st.markdown(lesson.what)
    with st.container(border=True, gap="small"):
        st.latex(lesson.equation)
        meanings = [f"${symbol}$ {meaning}" for symbol, meaning in lesson.symbols]
        half = (len(meanings) + 1) // 2
        for column, part in zip(st.columns(2, gap="medium"), (meanings[:half], meanings[half:]), strict=True):
            column.caption("  \n".join(part))
    st.markdown(f":primary-background[**Try this**] {lesson.try_this}")


@st.fragment
def _show_exhibits(view: View, trace: Trace, palette: Palette) -> None:
    choices = view.choices(trace)
    per_row = math.ceil(len(choices) / math.ceil(len(choices) / MAX_CHOICES_IN_ROW))
    chosen = {}
    with st.container(border=True):
        for first in range(0, len(choices), per_row):
            columns = st.columns(per_row, gap="medium", vertical_alignment="bottom")
            for choice, column in zip(choices[first : first + per_row], columns, strict=False):
                with column:
                    chosen[choice.name] = ask(choice)
    try:
        _show_rows(view.exhibits(trace, palette, **chosen))
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.error(f"This could not be computed here: {error}", icon=":material/memory:")


def _show_rows(exhibits: Iterator[Exhibit | Note]) -> None:
    """Put pictures side by side while their shares of the width add up to no more than the whole."""
    row: list = []
    for item in exhibits:
        if isinstance(item, Note):
            st.info(item.text, icon=":material/info:")
            row = []
            continue
        if not row:
            row = _start_row(item.share)
        _show_exhibit(row.pop(0), item)


def _start_row(share: float) -> list:
    return list(st.columns([share, 1 - share], gap="medium")) if share < 1 else [st.container()]


def _show_exhibit(place, exhibit: Exhibit) -> None:
    with place:
        st.image(exhibit.picture.to_bytes("png", SCREEN_DPI, compression=1), width="stretch", alt=exhibit.caption)
        with st.container(horizontal=True, wrap=False):
            st.caption(exhibit.caption, width="stretch")
            with st.popover("", icon=":material/download:", help="Save this picture or its numbers", type="tertiary"):
                _offer_files(exhibit)


def _offer_files(exhibit: Exhibit) -> None:
    picture, arrays = exhibit.picture, exhibit.arrays
    files = {
        "png": ("Picture (PNG)", "image/png", lambda: picture.to_bytes("png")),
        "svg": ("Picture (SVG)", "image/svg+xml", lambda: picture.to_bytes("svg")),
        "npz": ("Numbers (NPZ)", "application/zip", lambda: _npz(arrays())),
    }
    for ending, (label, mime, make) in files.items():
        st.download_button(
            label, make, f"{exhibit.name}.{ending}", mime, on_click="ignore", key=f"{exhibit.name}.{ending}",
            width="stretch",
        )  # fmt: skip


def _npz(arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
