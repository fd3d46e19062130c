"""The viewer on the page: one component, told where to fetch and where to begin; what is chosen comes back."""

from collections.abc import Sequence

import streamlit as st
from streamlit.components.v2 import component

from ...figures.style import WEIGHT_SCALES
from ...gates import has_gate
from ...labels import LabelTrack
from ...tracing import Trace
from .atlas import is_comfortable, prepare_atlas
from .definitions import definitions_for_browser
from .palettes import palettes_for_browser
from .place import forget_frames, note_place, recall_place, take_place
from .serving import base_address, offer, static_digest

# The files are modules with imports of their own; this one line brings the first of them.
_ENTER = """
export default async function (component) {
  const { show } = await import(new URL(component.data.files + "/viewer.js", location.origin));
  return show(component);
}
"""
_viewer = component("wavlm_explorer_viewer", html='<div class="viewer"></div>', js=_ENTER)


def show_viewer(trace: Trace, tracks: Sequence[LabelTrack] = ()) -> None:
    """Draw the viewer of a trace and its labels; layer, head, scale, window and frame live in session and link.

    What is chosen in it runs the fragment again in which it stands.
    """
    forget_frames(trace.audio.digest)
    place = recall_place(trace)
    prepare_atlas(trace, place["layer"])
    base, config, end = base_address(), trace.model.config, trace.audio.start + trace.audio.duration
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
            "labels": [{"name": track.name, "intervals": track.between(trace.audio.start, end)} for track in tracks],
            "atlas_at_once": is_comfortable(trace),
            "has_bias": config.relative_position_embedding,
            "has_gate": has_gate(trace),
            "measures": definitions_for_browser(),
            "place": place,
            "scales": WEIGHT_SCALES,
            "palettes": palettes_for_browser(),
        },
        on_place_change=lambda: take_place(st.session_state["viewer"].get("place")),
    )
    note_place(trace)
