"""The frame around every page: sidebar, navigation, and the trace that all pages share."""

import gc
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from PIL import Image, ImageDraw

from ..audio import Audio
from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import VIEWS, View
from .compare import COMPARE
from .doctor import DOCTOR
from .labels import choose_labels
from .lesson import LESSON
from .model import Selection, choose_model, show_model
from .page import show_view
from .pair import SIDE_BY_SIDE
from .progress import Stopped, show_stopped
from .sound import choose_sound
from .theme import current_palette
from .tool import Guide, Tool, Workbench
from .traces import offer_trace
from .tracing import trace_once

WORKBENCHES = (SIDE_BY_SIDE,)
TOOLS = (DOCTOR, COMPARE)
Page = View | Guide | Workbench | Tool
PAGES: tuple[Page, ...] = (VIEWS[0], LESSON, *VIEWS[1:], *WORKBENCHES, *TOOLS)
WITHOUT_SOUND = (
    "Drop a recording or a saved trace into the sidebar, or record your voice there, and its attention appears here."
)


def main() -> None:
    """Run the app once, as Streamlit does at every interaction."""
    st.set_page_config("WavLM Explorer", _icon(), "wide")
    page, addresses = _navigate()
    with st.sidebar:
        st.title("WavLM Explorer")
        st.caption("See what a speech model attends to, head by head, on any voice.")
        sound = choose_sound()
        is_trace = isinstance(sound, Trace)
        audio = sound.audio if is_trace else sound
        tracks = choose_labels(audio)
        doctor = None if page is DOCTOR else addresses[DOCTOR.title]
        selection = show_model(sound) if is_trace else choose_model(doctor)
        palette = current_palette()
    _freeze_what_is_loaded()
    try:
        _show(page, selection, audio, tracks, palette, addresses)
    except Stopped:
        show_stopped()


def _show(
    page: Page,
    selection: Selection,
    audio: Audio | None,
    tracks: Sequence[LabelTrack],
    palette: Palette,
    addresses: Mapping[str, Any],
) -> None:
    if isinstance(page, Tool):
        page.show(selection, audio, palette)
        return
    model = selection.model
    if audio is None or model is None:
        st.title(page.title)
        st.info(WITHOUT_SOUND if audio is None else selection.advice, icon=":material/arrow_back:")
        return
    try:
        traced = selection.trace or trace_once(model, audio)
    except (MemoryError, RuntimeError, ValueError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.title(page.title)
        st.error(f"This sound could not be traced through this model: {error}", icon=":material/error:")
    else:
        with st.sidebar:
            offer_trace(traced)
        if isinstance(page, Guide):
            page.show(traced, palette, addresses)
        elif isinstance(page, Workbench):
            page.show(traced, tracks, palette)
        else:
            show_view(page, traced, palette, tracks)


def _navigate() -> tuple[Page, dict[str, Any]]:
    """Draw the navigation; return the page that the address names, and title -> what leads to a page.

    No name means the first view, as does its own.
    """
    first, *others = PAGES
    home = _page(first, "home", default=True)
    sections = {first.section: [home, _page(first, first.name, visibility="hidden")]}
    addresses = {first.title: home}
    for page in others:
        addresses[page.title] = _page(page, page.name)
        sections.setdefault(page.section, []).append(addresses[page.title])
    chosen = st.navigation(sections, position="top")
    return next(page for page in PAGES if page.title == chosen.title), addresses


def _page(page: Page, address: str, **options: Any) -> Any:
    """What Streamlit needs to list a page; the function it wants to call is empty, for `main` draws every page."""
    return st.Page(lambda: None, title=page.title, icon=f":material/{page.icon}:", url_path=address, **options)


@st.cache_resource(show_spinner=False)
def _freeze_what_is_loaded() -> None:
    """Hide all that is loaded by now from the garbage collector, which would walk over PyTorch at every rerun."""
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def _icon() -> Image.Image:
    """A diagonal of attention; drawn here, because an icon by name would be fetched from the network."""
    image = Image.new("RGB", (64, 64), "#11141b")
    draw = ImageDraw.Draw(image)
    for step in range(7):
        draw.rounded_rectangle((step * 8 + 4, step * 8 + 4, step * 8 + 14, step * 8 + 14), 3, fill="#ff8a5c")
    return image
