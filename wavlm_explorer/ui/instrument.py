"""The page of attention: the viewer, and below it what is drawn only when somebody opens it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import streamlit as st

from ..figures.labels import label_map
from ..figures.style import WEIGHT_SCALES, Palette
from ..label_attention import NO_LABEL, LabelAttention, pool_attention
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Exhibit, Item, Option, View
from .exhibits import offer_view, show_exhibits, show_when_opened
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
DrawExhibit = Callable[[Palette], Exhibit]
OCCURRENCES = Option("occurrences", "The same label again", "", ("pooled", "by itself"), "pooled")


@st.fragment
def show_instrument(view: View, trace: Trace, palette: Palette, tracks: Sequence[LabelTrack]) -> None:
    """Draw the viewer and the sections below, which follow the layer, head, scale and frame that are chosen in it.

    All of it runs again once the viewer has been at rest for a moment; a closed section costs nothing then.
    """
    show_viewer(trace, tracks)
    chosen = _chosen_in_viewer(trace)
    draw_labels = None
    if tracks:
        section = st.expander("Attention from label to label", key="label_section", on_change="rerun")
        with section:
            if section.open:
                draw_labels = _choose_labels(trace, tracks, chosen)
                if draw_labels is not None:
                    show_exhibits([draw_labels(palette)])
    show_when_opened(partial(_show_what_to_keep, view, trace, palette, chosen, draw_labels))


def _chosen_in_viewer(trace: Trace) -> dict[str, Any]:
    """What is chosen, by the names that all pages share; the query that is kept in the viewer is the frame for all."""
    state = st.session_state
    if state["locked"]:
        state["frame"] = state["locked"][0]
    frame = min(max(state.get("frame", trace.num_frames // 2), 0), trace.num_frames - 1)
    scale = state.get("scale", WEIGHT_SCALES[0])
    return {"layer": state["layer"], "head": state["head"], "scale": scale, "frame": frame}


def _show_what_to_keep(
    view: View, trace: Trace, palette: Palette, chosen: dict[str, Any], draw_labels: DrawExhibit | None
) -> None:
    """Draw what can be saved; the picture of labels, where it is open above, is saved with the rest."""

    def make_items(palette: Palette) -> Iterator[Item]:
        yield from view.exhibits(trace, palette, **chosen)
        if draw_labels is not None:
            yield draw_labels(palette)

    shown = show_exhibits(view.exhibits(trace, palette, **chosen))
    if draw_labels is not None:
        shown.append(draw_labels(palette))
    offer_view(view, trace, palette, chosen, shown, make_items)


def _choose_labels(trace: Trace, tracks: Sequence[LabelTrack], chosen: dict[str, Any]) -> DrawExhibit | None:
    """Ask which labels and how, and pool them; return what draws them, or say why there is nothing to draw."""
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
    layer, head = chosen["layer"], chosen["head"]
    try:
        pooled = pool_attention(trace, tracks[tier], layer, head, by)
    except ValueError as error:
        st.info(literal(error), icon=":material/label_off:")
        return None
    numbers = {name: getattr(pooled, name).numpy() for name in ("frames", "share", "mean")}
    words = f"Labels of the tier *{literal(names[tier])}*. {_in_words(pooled)}"

    @cache
    def draw(palette: Palette) -> Exhibit:
        kind, title = "share" if pooling == "sum" else "mean", f"Layer {layer} · head {head}"
        picture = label_map(pooled, kind, title, chosen["scale"], palette)
        arrays = numbers | {"labels": np.array(pooled.labels)}
        return Exhibit("label_attention", picture, words, lambda: arrays, share=0.6)

    return draw


def _in_words(pooled: LabelAttention) -> str:
    frames = pooled.frames / pooled.frames.sum()
    own, alike = float((frames * pooled.share[0].diagonal()).sum()), float(frames.square().sum())
    return (
        f"A row is the label that looks, a column the label looked at; {NO_LABEL} are silences and what has no label. "
        f"On average a frame gives {own:.0%} of its attention to its own label; were all frames looked at alike, it "
        f"would give {alike:.0%}."
    )
