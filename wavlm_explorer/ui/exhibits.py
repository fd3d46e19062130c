"""Pictures on the page: side by side where they fit, each with its files."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from ..views import Exhibit, Note, Working

SCREEN_DPI = 165  # sharp on a fine screen, drawn twice as fast as what is saved
STEP_PIXELS = 300  # of an equation's step: one fits on a phone, three on a page


def show_exhibits(exhibits: Iterable[Exhibit | Note | Working]) -> None:
    """Put pictures side by side while their shares of the width add up to no more than the whole.

    What does not fit in memory is explained in its place.
    """
    try:
        _show_rows(exhibits)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.error(f"This could not be computed here: {error}", icon=":material/memory:")


def _show_rows(exhibits: Iterable[Exhibit | Note | Working]) -> None:
    row: list = []
    for item in exhibits:
        if not isinstance(item, Exhibit):
            _show_words(item)
            row = []
            continue
        if not row:
            row = _start_row(item.share)
        _show_exhibit(row.pop(0), item)


def _show_words(item: Note | Working) -> None:
    if isinstance(item, Note):
        st.info(item.text, icon=":material/info:")
        return
    with st.container(border=True, horizontal=True, gap="medium"):  # side by side while there is room
        for words, latex in item.steps:
            with st.container(width=STEP_PIXELS, gap="small"):
                st.caption(words)
                st.latex(latex)


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


def _npz(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
