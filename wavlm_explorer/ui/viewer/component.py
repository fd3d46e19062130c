"""The viewer on the page: one component, told where to fetch and where to begin; what is chosen comes back."""

from typing import Any

import matplotlib
import streamlit as st
from streamlit.components.v2 import component

from ...figures.style import DARK, LIGHT
from ...tracing import Trace
from ..link import note, recall
from .definitions import definitions_for_browser
from .serving import offer, static_digest

# The files are modules with imports of their own; this one line brings the first of them.
_ENTER = """
export default async function (component) {
  const { show } = await import(new URL(component.data.files + "/viewer.js", location.origin));
  return show(component);
}
"""
_STYLE = '<link rel="stylesheet" href="{}/viewer.css">'
_viewer = component("wavlm_explorer_viewer", html='<div class="viewer"></div>', js=_ENTER)


@st.fragment
def show_viewer(trace: Trace) -> None:
    """Draw the viewer of a trace; layer, head and window live in the session and in the page's link."""
    recall("layer", trace.num_layers // 2, int)
    recall("head", 0, int)
    st.session_state["layer"] = min(max(st.session_state["layer"], 0), trace.num_layers - 1)
    st.session_state["head"] = min(max(st.session_state["head"], 0), trace.num_heads - 1)
    base = "/".join(["", *filter(None, [str(st.get_option("server.baseUrlPath")).strip("/")]), "viewer"])
    config = trace.model.config
    _viewer(
        key="viewer",
        data={
            "files": f"{base}/files/{static_digest()}",
            "arrays": f"{base}/{offer(trace)}",
            "layers": trace.num_layers,
            "heads": trace.num_heads,
            "frames": trace.num_frames,
            "start": trace.audio.start,
            "duration": trace.audio.duration,
            "hop_seconds": config.frame_seconds,
            "field_seconds": config.receptive_field_samples / trace.audio.sample_rate,
            "place": {"layer": st.session_state["layer"], "head": st.session_state["head"]},
            "measures": definitions_for_browser(),
            "palettes": {"light": _colours(LIGHT), "dark": _colours(DARK)},
        },
        on_place_change=_remember_place,
    )
    note("layer", st.session_state["layer"], trace.num_layers // 2)
    note("head", st.session_state["head"], 0)


def _remember_place() -> None:
    place = st.session_state["viewer"].get("place") or {}
    for name in ("layer", "head"):
        if isinstance(place.get(name), int):
            st.session_state[name] = place[name]


def _colours(palette: Any) -> dict[str, str]:
    """A palette for the canvas: plain colours, and each colour map as 256 x "rrggbb"."""
    maps = {name: matplotlib.colormaps[getattr(palette, name)] for name in ("weights", "signed", "sound")}
    tables = {name: (cmap(range(256), bytes=True)[:, :3]).tobytes().hex() for name, cmap in maps.items()}
    plain = {name: getattr(palette, name) for name in ("background", "ink", "muted", "line", "accent", "contrast")}
    return plain | tables
