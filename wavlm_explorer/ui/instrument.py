"""The page of attention: the viewer, and below it what is drawn only when somebody opens it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from ..figures.labels import label_map
from ..figures.style import WEIGHT_SCALES, Palette
from ..label_attention import NO_LABEL, LabelAttention, pool_attention
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Exhibit, Option, View
from .exhibits import describe_choices, offer_all, show_exhibits
from .markdown import literal
from .viewer.component import show_viewer
from .widgets import ask

POOLING = Option(
    "pooling",
    "What a cell shows",
    "Sum: the share of a label's attention that each label gets; rows sum to 1, and long labels get more. "
    "Mean: the mean weight of a frame on a frame, for which length does not count.",
    ("sum", "mean"),
    "sum",
)
OCCURRENCES = Option("occurrences", "The same label again", "", ("pooled", "by itself"), "pooled")


@st.fragment
def show_instrument(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the viewer and the sections below, which follow the layer, head and scale that are chosen in it.

    All of it runs again once the viewer has been at rest for a moment; a closed section costs nothing then.
    """
    show_viewer(trace, tracks)
    layer, head = st.session_state["layer"], st.session_state["head"]
    scale = st.session_state.get("scale", WEIGHT_SCALES[0])
    if tracks:
        section = st.expander("Attention from label to label", key="label_section", on_change="rerun")
        with section:
            if section.open:
                _show_labels(trace, palette, tracks, layer, head, scale)
    section = st.expander("Pictures and numbers to keep", key="picture_section", on_change="rerun")
    with section:
        if section.open:
            chosen = {"layer": layer, "head": head, "scale": scale}
            shown = show_exhibits(view.exhibits(trace, palette, **chosen))
            offer_all(view.name, describe_choices(trace, chosen), shown)


def _show_labels(
    trace: Trace, palette: Palette, tracks: Sequence[LabelTrack], layer: int, head: int, scale: str
) -> None:
    left, middle, right = st.columns(3, gap="medium", vertical_alignment="bottom")
    with left:
        names = [track.name for track in tracks]
        tier = st.selectbox(
            "Tier", range(len(tracks)), format_func=names.__getitem__, key="tier", persist_state="session"
        )
    with middle:
        pooling = ask(POOLING)
    with right:
        by = "text" if ask(OCCURRENCES) == OCCURRENCES.default else "occurrence"
    try:
        pooled = pool_attention(trace, tracks[tier], layer, head, by)
    except ValueError as error:
        st.info(literal(error), icon=":material/label_off:")
        return
    title = f"Layer {layer} · head {head}"
    picture = label_map(pooled, "share" if pooling == "sum" else "mean", title, scale, palette)
    numbers = {name: getattr(pooled, name).numpy() for name in ("frames", "share", "mean")}
    exhibit = Exhibit(
        "label_attention", picture, _in_words(pooled), lambda: numbers | {"labels": np.array(pooled.labels)}, share=0.6
    )
    show_exhibits([exhibit])


def _in_words(pooled: LabelAttention) -> str:
    frames = pooled.frames / pooled.frames.sum()
    own, alike = float((frames * pooled.share[0].diagonal()).sum()), float(frames.square().sum())
    return (
        f"A row is the label that looks, a column the label looked at; {NO_LABEL} are silences and what has no label. "
        f"On average a frame gives {own:.0%} of its attention to its own label; were all frames looked at alike, it "
        f"would give {alike:.0%}."
    )
