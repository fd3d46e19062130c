"""The viewer on the page: one component, told where to fetch and where to begin; what is chosen comes back."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ...effects import known_importance
from ...figures.style import WEIGHT_SCALES
from ...gates import has_gate
from ...labels import LabelTrack
from ...tracing import Trace
from .atlas import is_comfortable, prepare_atlas
from .change import Change
from .declaring import declare, facts_of_clip, facts_of_page
from .definitions import DEFINITIONS, IMPORTANCE, MOVED, definitions_for_browser
from .place import CHOSEN, SHOWN, Names, forget_frames, note_place, recall_place, recall_side, take_place
from .serving import base_address, offer

_viewer = declare("viewer", "viewer.js", "viewer")


def show_viewer(trace: Trace, tracks: Sequence[LabelTrack] = ()) -> None:
    """Draw the viewer of a trace and its labels; layer, head, scale, window and frame live in session and link.

    What is chosen in it runs the fragment again in which it stands.
    """
    forget_frames(trace.audio.digest)
    place = recall_place(trace)
    prepare_atlas(trace, place["layer"])
    _draw(trace, tracks, {"place": place}, "viewer", CHOSEN)


def show_change(change: Change, tracks: Sequence[LabelTrack] = ()) -> None:
    """Draw the viewer of a change: the pass with it, the pass without, and their difference, at one place.

    Where one looks is `shown_layer` and `shown_head`, for `layer` and `head` say where the change is made.
    """
    forget_frames(change.before.audio.digest)
    place = recall_place(change.before, SHOWN)
    prepare_atlas(change, place["layer"])
    importance = known_importance(change.before)
    measures = (MOVED, *DEFINITIONS) if importance is None else (IMPORTANCE, MOVED, *DEFINITIONS)
    facts = {
        "arrays": f"{base_address()}/{offer(change)}",
        "hidden": change.hidden_spans(),
        "importance": None if importance is None else importance.tolist(),
        "measures": definitions_for_browser(measures),
    }
    _draw(change.before, tracks, {"place": place | {"side": recall_side()}, "change": facts}, "change_viewer", SHOWN)


def _draw(trace: Trace, tracks: Sequence[LabelTrack], shown: dict[str, Any], key: str, names: Names) -> None:
    config, end = trace.model.config, trace.audio.start + trace.audio.duration
    _viewer(
        key=key,
        data={
            **facts_of_page(),
            **facts_of_clip(trace),
            "labels": [{"name": track.name, "intervals": track.between(trace.audio.start, end)} for track in tracks],
            "atlas_at_once": is_comfortable(trace),
            "has_bias": config.relative_position_embedding,
            "has_gate": has_gate(trace),
            "measures": definitions_for_browser(),
            "scales": WEIGHT_SCALES,
            **shown,
        },
        on_place_change=lambda: take_place(st.session_state[key].get("place"), names),
    )
    note_place(trace, names)
