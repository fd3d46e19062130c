"""The comparison's page: the chosen model and another checkpoint, side by side on the chosen sound."""

from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st

from ..audio import Audio
from ..checkpoints import CheckpointError, read_checkpoint
from ..comparison import Difference, diff
from ..comparison.behaviour import Behaviour
from ..comparison.page import NO_COUNTERPART, changes_of_tensors, divergence_of_attention, similarities_of_states
from ..figures.style import Palette
from ..views import Item, Lesson, Note
from .checkpoint import choose_checkpoint
from .exhibits import show_exhibits
from .markdown import literal
from .memory import remember
from .model import Selection
from .page import show_lesson
from .progress import run_with_progress
from .reference import Reference
from .tool import Tool, hang

LESSON = Lesson(
    what=(
        "Two checkpoints, **A** and **B**, side by side: how far each **weight** has moved from A to B, how alike the "
        "**hidden states** are that both make of the same sound, and how far the **attention** of each head parts, by "
        "what it looks for (*content*) and by where it looks (*position*). So one sees what fine-tuning has changed, "
        "or that a converted file is the same model."
    ),
    equation=(
        r"\begin{gathered}"
        r"\text{moved} = \frac{\lVert B - A \rVert}{\lVert A \rVert} \qquad "
        r"\text{CKA} = \frac{\lVert Y^\top X \rVert^2}{\lVert X^\top X \rVert \; \lVert Y^\top Y \rVert} \\[4pt] "
        r"\text{JSD} = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{1}{2}\left(H(p) + H(q)\right)"
        r"\end{gathered}"
    ),
    symbols=(
        (r"A,\, B", "a weight in the one checkpoint and in the other"),
        (r"X,\, Y", "the states of one layer in A and in B, centred over the frames"),
        (r"p,\, q", "a row of attention in A and in B"),
        (r"H", "its entropy in bits: JSD is 0 for equal rows, 1 for rows without overlap"),
    ),
    try_this=(
        "Compare a model with what was fine-tuned from it: do the upper layers move most? Then choose **nano** on both "
        "sides, and see what *identical* looks like."
    ),
)


def show(selection: Selection, audio: Audio | None, palette: Palette) -> None:
    """Draw the page."""
    st.title(COMPARE.title)
    show_lesson(LESSON)
    other = _choose_other(selection)
    if selection.reference is None:
        st.info(selection.advice, icon=":material/arrow_back:")
    elif audio is None:
        st.info("Choose a sound in the sidebar: both models will hear it.", icon=":material/arrow_back:")
    elif other is not None:
        try:
            difference = _compared(selection, selection.reference, other, audio)
        except (CheckpointError, OSError, MemoryError, RuntimeError, ValueError) as error:
            st.error(f"The two could not be compared: {literal(error)}", icon=":material/error:")
        else:
            _show_difference(difference, palette)


def _choose_other(selection: Selection) -> Reference | None:
    with st.container(border=True):
        left, right = st.columns(2, gap="medium")
        left.markdown("**A**, the model of the sidebar")
        left.markdown(literal(selection.reference.name) if selection.reference else "none yet")
        right.markdown("**B**, the other checkpoint")
        try:
            with right:
                other = choose_checkpoint("other")
        except (CheckpointError, OSError, ValueError) as error:
            st.error(literal(error), icon=":material/error:")
            return None
    if other is None and st.session_state.get("other") is None:
        st.info(
            "Choose the other checkpoint above: the bundled **nano**, one by its name, or a file of yours.",
            icon=":material/arrow_upward:",
        )
    return other


def _compared(selection: Selection, reference: Reference, other: Reference, audio: Audio) -> Difference:
    """Compare once for the session; the files of this session keep the names that it gave them."""
    key = (reference.key, tuple(selection.overrides.items()), other.key, audio.digest)

    def compare() -> Difference:
        def work(tell: Callable[[float], None]) -> Difference:
            a, b = read_checkpoint(reference.open(), **selection.overrides), read_checkpoint(other.open())
            return diff(a, b, audio, progress=tell)

        return run_with_progress(key, "Comparing", work)

    return remember("differences", key, compare)


def _show_difference(difference: Difference, palette: Palette) -> None:
    if difference.is_same:
        st.success(f"**Identical.** {literal(difference.summary)}", icon=":material/equal:")
    else:
        st.info(f"**Different.** {literal(difference.summary)}", icon=":material/compare_arrows:")
    _offer_downloads(difference)
    for title, exhibits in _sections(difference, palette):
        st.subheader(title)
        show_exhibits(iter(exhibits))
    _show_fields(difference)
    _show_tensors(difference)


def _offer_downloads(difference: Difference) -> None:
    with st.container(horizontal=True):
        for label, make, file, mime in (
            ("Page (HTML)", difference.to_html, "comparison.html", "text/html"),
            ("Numbers (JSON)", difference.to_json, "comparison.json", "application/json"),
        ):
            st.download_button(label, make, file, mime, icon=":material/download:", on_click="ignore", key=file)


def _sections(difference: Difference, palette: Palette) -> Iterator[tuple[str, list[Item]]]:
    yield "What moved", [hang(plate, palette) for plate in changes_of_tensors(difference.tensors)]
    behaviour = difference.behaviour
    if behaviour is None:
        yield "On the sound", [Note(f"They were not run on the sound: {literal(difference.no_behaviour)}")]
        return
    yield "Hidden states", _hidden_states(difference, behaviour, palette)
    parts = behaviour.divergence
    shown = Note(NO_COUNTERPART) if parts is None else hang(divergence_of_attention(parts), palette)
    yield "Attention", [shown]


def _hidden_states(difference: Difference, behaviour: Behaviour, palette: Palette) -> list[Item]:
    plates = similarities_of_states(behaviour, difference.a.name, difference.b.name)
    shares = (0.58, 0.42) if behaviour.has_equal_depth else (0.6,)
    exhibits = [hang(plate, palette, share) for plate, share in zip(plates, shares, strict=True)]
    if behaviour.normalized_a == behaviour.normalized_b:
        return [*exhibits]
    hears = "A hears it normalised, B as it is" if behaviour.normalized_a else "A hears it as it is, B normalised"
    return [Note(f"Each model hears the sound as its own config wants it: {hears}."), *exhibits]


def _show_fields(difference: Difference) -> None:
    if not difference.fields:
        return
    st.subheader("Config")
    rows = [
        {
            "field": one.name,
            "A": f"{one.value_a} ({one.how_a})",
            "B": f"{one.value_b} ({one.how_b})",
            "matters": "in training only" if one.is_for_training_only else "always",
        }
        for one in difference.fields
    ]
    st.dataframe(rows, hide_index=True, width="stretch")


def _show_tensors(difference: Difference) -> None:
    signs = {"only in a": "− only in A", "only in b": "+ only in B", "other shape": "≠ other shape"}
    apart = [one for one in difference.tensors if one.status in signs]
    if apart:
        st.subheader("Tensors without a counterpart")
        rows = [
            {"": signs[one.status], "tensor": one.name, "in A": _shape(one.shape_a), "in B": _shape(one.shape_b)}
            for one in apart
        ]  # fmt: skip
        _table(rows)
    rows = [
        {"tensor": one.name, "status": one.status, "relative change": one.relative_change, "cosine": one.cosine,
         "largest change": one.largest_change}
        for one in difference.tensors
    ]  # fmt: skip
    _fold(f"All {len(rows)} tensors", rows)
    left_out = [
        {"in": letter, "tensor": name, "why": why}
        for letter, side in (("A", difference.a), ("B", difference.b))
        for name, why in side.left_out.items()
    ]
    if left_out:
        _fold(f"{len(left_out)} tensors beside the encoders, left out", left_out)


def _fold(title: str, rows: list[dict[str, Any]]) -> None:
    with st.expander(title):
        _table(rows)


def _table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(rows, hide_index=True, width="stretch")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else " × ".join(map(str, shape)) or "one number"


COMPARE = Tool("compare", "Compare", "difference", show)
