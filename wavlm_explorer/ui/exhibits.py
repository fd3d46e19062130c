"""Pictures on the page: side by side where they fit, each with its files, and all of them as one."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from ..document import Document
from ..figures.style import Palette
from ..report import MakeItems, report_view
from ..tracing import Trace
from ..views import Exhibit, Item, Note, Offer, Sounds, Table, View, Working, name_chosen
from .picture import show_picture
from .progress import run_with_progress, want_again

STEP_PIXELS = 300  # of an equation's step: one fits on a phone, three on a page
PLAYER_PIXELS = 230
IN_SIGHT = """.st-key-wanted {
    position: fixed; bottom: 1rem; z-index: 1; width: min(44rem, 100vw - 2rem); backdrop-filter: blur(1.5rem);
}"""  # for an offer stands far down on its page, and the work is told of above


def show_exhibits(exhibits: Iterable[Item]) -> list[Item]:
    """Put pictures side by side while their shares of the width add up to no more than the whole; return what is shown.

    What does not fit in memory is explained in its place.
    """
    shown: list[Item] = []
    try:
        _show_rows(exhibits, shown)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        explanation = f"This could not be computed here: {error}"
        st.error(explanation, icon=":material/memory:")
        shown.append(Note(explanation))
    return shown


def _show_rows(exhibits: Iterable[Item], shown: list[Item]) -> None:
    row: list = []
    for item in exhibits:
        if isinstance(item, Offer):
            _show_offer(item)
            continue
        if not isinstance(item, Exhibit):
            _show_words(item)
            row = []
        else:
            row = row or _start_row(item.share)
            _show_exhibit(row.pop(0), item)
        shown.append(item)


def _show_words(item: Note | Sounds | Working | Table) -> None:
    match item:
        case Note():
            st.info(item.text, icon=":material/info:")
        case Sounds():
            _show_sounds(item)
        case Table():
            _show_table(item)
        case Working():
            _show_working(item)


def _show_working(working: Working) -> None:
    with st.container(border=True, horizontal=True, gap="medium"):  # side by side while there is room
        for words, latex in working.steps:
            with st.container(width=STEP_PIXELS, gap="small"):
                st.caption(words)
                st.latex(latex)


def _show_table(table: Table) -> None:
    with st.expander(table.title):
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        st.dataframe(rows, hide_index=True, width="stretch")
        st.caption(table.caption)


def _show_sounds(sounds: Sounds) -> None:
    st.caption(sounds.text)
    with st.container(horizontal=True, gap="medium"):
        for what, audio in sounds.clips:
            with st.container(width=PLAYER_PIXELS, gap="small"):
                st.caption(what)
                st.audio(audio.to_wav(), format="audio/wav")


def _show_offer(offer: Offer) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(offer.text, width="stretch")
        if st.button(offer.label, icon=":material/play_arrow:", key=offer.name):
            st.session_state["_wanted"] = offer
            st.rerun()


def do_what_is_wanted() -> None:
    """Do the work of an offer that was just taken up, if one was.

    It belongs outside of any fragment: a button of a fragment cannot end what runs, and Stop is to end this.
    """
    offer, place = st.session_state.pop("_wanted", None), st.empty()  # empty or not: nothing below may move
    if offer is None:
        return
    want_again()
    with place.container(border=True, key="wanted"):
        st.html(f"<style>{IN_SIGHT}</style>")
        run_with_progress(offer.name, offer.label, offer.work)
    place.empty()


def _start_row(share: float) -> list:
    return list(st.columns([share, 1 - share], gap="medium")) if share < 1 else [st.container()]


def _show_exhibit(place, exhibit: Exhibit) -> None:
    with place:
        show_picture(exhibit.picture, exhibit.name, exhibit.caption)
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


def offer_all(name: str, about: str, shown: Sequence[Item], report: Callable[[], Document] | None = None) -> None:
    """Draw the buttons that save all that is shown as one file: for work, and for reading.

    about: says in a line of what and how it was made.
    report: makes the file for reading, when somebody wants it.
    """
    with st.container(horizontal=True):
        st.download_button(
            "All pictures and numbers (ZIP)", lambda: pack_exhibits(about, shown), f"{name}.zip", "application/zip",
            icon=":material/folder_zip:", on_click="ignore", key=f"{name}.zip",
        )  # fmt: skip
        if report is not None:
            st.download_button(
                "Report (HTML)", lambda: report().to_html(), f"{name}.html", "text/html",
                icon=":material/description:", on_click="ignore", key=f"{name}.html",
            )  # fmt: skip


def show_view_items(view: View, trace: Trace, palette: Palette, chosen: Mapping[str, Any]) -> None:
    """Draw what a view shows under these choices, and the buttons that save all of it."""
    make_items = partial(view.exhibits, trace, **chosen)
    offer_view(view, trace, palette, chosen, show_exhibits(make_items(palette)), make_items)


def show_when_opened(draw: Callable[[], None]) -> None:
    """Draw what can be kept of a page that one works with, in a section that costs nothing until somebody opens it."""
    section = st.expander("Pictures and numbers to keep", key="picture_section", on_change="rerun")
    with section:
        if section.open:
            draw()


def offer_view(
    view: View, trace: Trace, palette: Palette, chosen: Mapping[str, Any], shown: Sequence[Item], make_items: MakeItems
) -> None:
    """The same for a view: what is shown in `palette` is not made again, only what the other screens need."""

    def report() -> Document:
        return report_view(view, trace, chosen, lambda other: shown if other == palette else make_items(other))

    offer_all(view.name, describe_choices(trace, chosen), shown, report)


def pack_exhibits(about: str, shown: Sequence[Item]) -> bytes:
    """Put every picture as PNG and SVG, its numbers as NPZ, tables as CSV, and all words as about.txt into one zip."""
    buffer, words = io.BytesIO(), [about]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in shown:
            if isinstance(item, Offer):
                continue
            words.append(_in_words(item))
            if isinstance(item, Exhibit):
                archive.writestr(f"{item.name}.png", item.picture.to_bytes("png"))
                archive.writestr(f"{item.name}.svg", item.picture.to_bytes("svg"))
                archive.writestr(f"{item.name}.npz", _npz(item.arrays()))
            elif isinstance(item, Table):
                archive.writestr(f"{item.name}.csv", _csv(item))
        archive.writestr("about.txt", "\n\n".join(words) + "\n")
    return buffer.getvalue()


def _csv(table: Table) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows((table.columns, *table.rows))
    return buffer.getvalue()


def _in_words(item: Exhibit | Note | Sounds | Table | Working) -> str:
    if isinstance(item, Note | Sounds):
        return item.text
    if isinstance(item, Working):
        return "\n".join(f"{words}\n    {latex}" for words, latex in item.steps)
    return f"{item.name}: {item.caption}"


def describe_choices(trace: Trace, chosen: Mapping[str, Any]) -> str:
    """Say in a line of which trace pictures were made, and with which choices."""
    choices = ", ".join(f"{name} {name_chosen(value)}" for name, value in chosen.items())
    return f"{trace.audio.name} through {trace.model.source.name}: {choices}"
