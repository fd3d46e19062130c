"""The lesson: a chapter at a time, which notices what was tried; chapter and tries are kept, and are in the link."""

from collections.abc import Mapping, Set
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ..figures.style import Palette
from ..lesson import CHAPTERS, Chapter, Verdict
from ..tracing import Trace
from ..views import VIEWS
from .exhibits import show_exhibits
from .link import note, recall
from .page import show_equation, show_try
from .tool import Guide
from .widgets import ask_all

# The button to the next chapter is at the end of a page, where Streamlit would leave the reader.
_TO_THE_TOP = """
const shown = (globalThis.wavlmExplorerLesson ??= {});
export default function ({ data }) {
  if (shown.chapter !== undefined && shown.chapter !== data.chapter) {
    requestAnimationFrame(() => document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 }));
  }
  shown.chapter = data.chapter;
}
"""
_scroll = component("wavlm_explorer_chapter", html="<span></span>", js=_TO_THE_TOP)


@st.fragment
def show_chapter(trace: Trace, palette: Palette, addresses: Mapping[str, Any]) -> None:
    """Draw the chapter that is chosen; only this part of the page runs again when something in it changes."""
    st.title("Lesson")
    recall("chapter", 1, _read_chapter)
    recall("tried", frozenset(), _read_tried)
    number = st.session_state["chapter"]
    chapter, progress = CHAPTERS[number - 1], st.container()
    st.header(f"{number} · {chapter.title}")
    st.markdown(chapter.lesson.what)
    show_equation(chapter.lesson)
    try:
        _show_scene(number, chapter, trace, palette)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        st.error(f"This could not be computed here: {error}", icon=":material/memory:")
    _show_question(number, chapter, addresses)
    with progress:
        _show_progress(number, st.session_state["tried"])
    note("chapter", number, 1)
    note("tried", "-".join(map(str, sorted(st.session_state["tried"]))), "")
    with st.container(height=1, border=False):
        _scroll(key="chapter_top", data={"chapter": number})


def _show_scene(number: int, chapter: Chapter, trace: Trace, palette: Palette) -> None:
    """Draw what to try, the choices and the pictures; note the try once it is done."""
    began = _begin(number, chapter, trace)
    task = st.container(border=True, gap="small")
    chosen = ask_all(chapter.scene.choices(trace))
    verdict = chapter.scene.judge(trace, **chosen)
    if chosen == began:  # nothing has been tried yet
        verdict = verdict._replace(done=False)
    if verdict.done:
        st.session_state["tried"] |= {number}
    with task:
        show_try(chapter.lesson)
        _show_verdict(verdict, number in st.session_state["tried"])
    show_exhibits(chapter.scene.exhibits(trace, palette, **chosen))


def _begin(number: int, chapter: Chapter, trace: Trace) -> dict[str, Any]:
    """Set the scene when a chapter opens, unless the link says how; return how the chapter begins.

    Another sound or model begins the chapter anew. Who comes back from a laboratory finds what was chosen there.
    """
    state, key = st.session_state, (number, trace.model.source.digest, trace.audio.digest)
    if state.get("_began_at") != key:
        began = chapter.scene.begin(trace)
        if "_began_at" in state or not any(name in st.query_params for name in began):
            state.update(began)
        state["_began_at"], state["_began"] = key, began
    return state["_began"]


def _show_verdict(verdict: Verdict, was_done: bool) -> None:
    if verdict.done:
        st.success(f"**Done.** {verdict.words}", icon=":material/check_circle:")
    else:
        st.caption(f":green[:material/check_circle: Done before.] {verdict.words}" if was_done else verdict.words)


def _show_question(number: int, chapter: Chapter, addresses: Mapping[str, Any]) -> None:
    """Draw the question with its answer folded away, and where to go from here."""
    st.markdown(f":primary-background[**Question**] {chapter.question}")
    with st.expander("Answer", key=f"answer_{number}"):
        st.markdown(chapter.answer)
    view = next(view for view in VIEWS if view.name == chapter.scene.laboratory)
    st.page_link(
        addresses[view.title], label=f"See more of this on the page **{view.title}**", icon=f":material/{view.icon}:"
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button("Previous", icon=":material/arrow_back:", on_click=_go_to, args=(number - 1,), disabled=number == 1)
        st.button(
            "Next chapter", icon=":material/arrow_forward:", on_click=_go_to, args=(number + 1,), type="primary",
            disabled=number == len(CHAPTERS),
        )  # fmt: skip


def _show_progress(number: int, tried: Set[int]) -> None:
    st.session_state["chapter"] = number  # the labels change, and Streamlit would take that for another widget
    st.segmented_control(
        "Chapter", range(1, len(CHAPTERS) + 1), key="chapter", required=True, label_visibility="collapsed",
        format_func=lambda each: f"{each} ✓" if each in tried else f"{each}", persist_state="session",
    )  # fmt: skip
    st.caption(f"Chapter {number} of {len(CHAPTERS)} · {len(tried)} of {len(CHAPTERS)} tries done")


def _go_to(number: int) -> None:
    st.session_state["chapter"] = number


def _read_chapter(text: str) -> int:
    number = int(text)
    if not 1 <= number <= len(CHAPTERS):
        raise ValueError(text)
    return number


def _read_tried(text: str) -> frozenset[int]:
    return frozenset(map(_read_chapter, text.split("-")))


LESSON = Guide("lesson", "Lesson", "school", show_chapter)
