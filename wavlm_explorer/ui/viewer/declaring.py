"""What components that draw on canvases have in common: how the browser enters their files, and what all are told."""

from collections.abc import Callable
from typing import Any

from streamlit.components.v2 import component

from ...tracing import Trace
from .palettes import palettes_for_browser
from .serving import base_address, offer, static_digest

# The files are modules with imports of their own; these lines bring the first of them.
_ENTER = """
export default async function (component) {{
  const {{ show }} = await import(new URL(component.data.files + "/{script}", location.origin));
  return show(component);
}}
"""


def declare(name: str, script: str, classes: str) -> Callable[..., Any]:
    """Make a component whose `show` stands in one of the files of `static/`."""
    html = f'<div class="{classes}"></div>'
    return component(f"wavlm_explorer_{name}", html=html, js=_ENTER.format(script=script))


def facts_of_page() -> dict[str, Any]:
    """Where the viewer's files are, and the colours of both themes."""
    return {"files": f"{base_address()}/files/{static_digest()}", "palettes": palettes_for_browser()}


def facts_of_clip(trace: Trace) -> dict[str, Any]:
    """Where the arrays of a trace are fetched, and what its axes mean; times in seconds."""
    config = trace.model.config
    return {
        "arrays": f"{base_address()}/{offer(trace)}",
        "layers": trace.num_layers,
        "heads": trace.num_heads,
        "frames": trace.num_frames,
        "start": trace.audio.start,
        "duration": trace.audio.duration,
        "hop_seconds": config.frame_seconds,
        "field_seconds": config.receptive_field_samples / trace.audio.sample_rate,
    }
