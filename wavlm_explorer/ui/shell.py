"""The frame around every page: sidebar, navigation, and the trace that all pages share."""

import gc
from typing import Any

import streamlit as st
from PIL import Image, ImageDraw

from ..audio import Audio
from ..tracing import Trace, trace
from ..views import VIEWS, View
from ..wavlm import WavLM
from .checkpoint import what_to_do
from .compare import COMPARE
from .doctor import DOCTOR
from .labels import choose_labels
from .memory import remember
from .model import ONE_AT_A_TIME, choose_model
from .page import show_view
from .sound import choose_sound
from .theme import current_palette
from .tool import Tool

TOOLS = (DOCTOR, COMPARE)


def main() -> None:
    """Run the app once, as Streamlit does at every interaction."""
    st.set_page_config("WavLM Explorer", _icon(), "wide")
    page, addresses = _navigate()
    with st.sidebar:
        st.title("WavLM Explorer")
        st.caption("See what a speech model attends to, head by head, on any voice.")
        audio = choose_sound()
        tracks = choose_labels(audio)
        selection = choose_model(None if page is DOCTOR else addresses[DOCTOR.title])
        palette = current_palette()
    _freeze_what_is_loaded()
    if isinstance(page, Tool):
        page.show(selection, audio, palette)
        return
    model = selection.model
    if audio is None or model is None:
        st.title(page.title)
        st.info(_what_to_do(audio), icon=":material/arrow_back:")
        return
    try:
        traced = _traced(model, audio)
    except (MemoryError, RuntimeError, ValueError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.title(page.title)
        st.error(f"This sound could not be traced through this model: {error}", icon=":material/error:")
    else:
        show_view(page, traced, palette, tracks)


def _navigate() -> tuple[View | Tool, dict[str, Any]]:
    """Draw the navigation; return the page that the address names, and title -> what leads to a page.

    No name means the first view, as does its own.
    """
    first, *others = VIEWS
    listed = [_page(first, "home", default=True), *(_page(page, page.name) for page in (*others, *TOOLS))]
    chosen = st.navigation([*listed, _page(first, first.name, visibility="hidden")], position="top")
    return next(page for page in (*VIEWS, *TOOLS) if page.title == chosen.title), {page.title: page for page in listed}


def _page(page: View | Tool, address: str, **options: Any) -> Any:
    """What Streamlit needs to list a page; the function it wants to call is empty, for `main` draws every page."""
    return st.Page(lambda: None, title=page.title, icon=f":material/{page.icon}:", url_path=address, **options)


def _what_to_do(audio: Audio | None) -> str:
    if audio is None:
        return "Drop a recording into the sidebar or record your voice there, and its attention appears here."
    return what_to_do(st.session_state.get("model"))


def _traced(model: WavLM, audio: Audio) -> Trace:
    """Trace a sound once per model: another head, layer or page finds the trace in the session's memory."""
    key = (model.source.digest, str(model.device), audio.digest)
    return remember("traces", key, lambda: _trace_with_progress(model, audio))


def _trace_with_progress(model: WavLM, audio: Audio) -> Trace:
    bar = st.progress(0.0, "Waiting for another session to finish its trace" if ONE_AT_A_TIME.locked() else "Tracing")

    def report(share: float) -> None:
        bar.progress(share, f"Tracing {audio.name}")

    try:
        with ONE_AT_A_TIME:
            return trace(model, audio, progress=report)
    finally:
        bar.empty()


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
