"""Traces as files on the page: one that is opened in a sound's place, and the one on screen to take along."""

import io
import re

import streamlit as st

from ..trace_files import TraceError, load_trace, pack_trace, trace_bytes
from ..tracing import Trace
from .turns import ONE_AT_A_TIME

ENDING = ".safetensors"


def is_trace_name(name: str) -> bool:
    """Whether a file of that name is to be opened as a trace, not as a recording."""
    return name.lower().endswith(ENDING)


def open_trace(name: str, content: bytes, max_seconds: float) -> Trace:
    """Open an uploaded trace.

    Raises: TraceError, also for one of a longer sound than the server's owner allows; MemoryError.
    """
    file = io.BytesIO(content)
    file.name = name
    with ONE_AT_A_TIME.turn():
        trace = load_trace(file)
    if trace.audio.duration > max_seconds:
        raise TraceError(
            f"{name}: expected at most {max_seconds:g} s of sound, found {trace.audio.duration:.1f} s; trace a shorter "
            "part, or open it with load_trace"
        )
    return trace


def offer_trace(trace: Trace) -> None:
    """Draw the button that saves what is on screen, unless this page could not open it again."""
    size = trace_bytes(trace)
    megabytes = size / 1e6
    if size > st.get_option("server.maxUploadSize") << 20:
        st.caption(f"This trace has {megabytes:,.0f} MB, more than this page opens: save it in a notebook.")
        return
    name = re.sub(r"[^\w.-]+", "_", trace.audio.name)[:100]
    st.download_button(
        f"Save this trace ({megabytes:,.1f} MB)", lambda: pack_trace(trace), f"{name}.trace{ENDING}",
        "application/octet-stream", icon=":material/download:", on_click="ignore", key="save_trace", width="stretch",
        help="Sound, states and layers in one file, to share or to keep. Dropped in as a sound it opens again, on any "
        "machine and without the checkpoint; in a notebook wx.load_trace opens it. It holds your recording.",
    )  # fmt: skip
