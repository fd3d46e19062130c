"""Long work on the page: how far it is, how long it still takes, and a button that stops it."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from .turns import ONE_AT_A_TIME

Result = TypeVar("Result")

SLICE_SECONDS = 5.0  # after so long a task lets others through
REDRAW_SECONDS = 0.25
TELLING_SECONDS = 2.0  # before that, the time left is a guess


class Stopped(Exception):  # noqa: N818 - it is no error: somebody wanted it
    """The visitor stopped this work and has not asked for it again."""


def run_with_progress(key: Hashable, what: str, work: Callable[[Callable[[float], None]], Result]) -> Result:
    """Run `work(report)` when it is this session's turn, below a bar that follows the share reported, 0 to 1.

    Where the visitor presses Stop, Streamlit ends the run at the next report.

    key: of the work: once stopped, it raises until somebody wants it again.

    Raises: Stopped.
    """
    if st.session_state.get("_stopped") == key:
        raise Stopped
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        slot = st.empty()
        st.button("Stop", icon=":material/stop_circle:", key=f"stop {what}", on_click=_stop, args=(key,))
    bar = _Bar(slot, what)
    try:
        with ONE_AT_A_TIME.turn(bar.wait):
            bar.begin()
            return work(bar.report)
    finally:
        place.empty()


def show_stopped() -> None:
    """Say that nothing is shown because it was stopped, and offer it again."""
    st.info(
        "Stopped. Choose a shorter part of the sound, another model, or start again.", icon=":material/stop_circle:"
    )
    st.button("Start again", icon=":material/play_arrow:", key="start_again", on_click=want_again)


class _Bar:
    def __init__(self, slot: Any, what: str) -> None:
        self._slot, self._what, self._share = slot, what, 0.0
        self._worked, self._drawn = 0.0, 0.0  # seconds: of work in earlier slices; when the bar was drawn
        self._slot.progress(0.0, what)

    def begin(self) -> None:
        """A slice of work begins."""
        self._began = time.monotonic()

    def wait(self) -> None:
        self._slot.progress(self._share, f"{self._what} · waiting for another session")

    def report(self, share: float) -> None:
        now = time.monotonic()
        if now - self._drawn > REDRAW_SECONDS:
            self._share, self._drawn = share, now
            self._slot.progress(min(share, 1.0), self._what + _time_left(self._worked + now - self._began, share))
        if now - self._began > SLICE_SECONDS:
            self._worked += now - self._began
            ONE_AT_A_TIME.pass_on(self.wait)
            self.begin()


def _time_left(worked: float, share: float) -> str:
    if worked < TELLING_SECONDS or share <= 0:
        return ""
    seconds = worked * (1 - share) / share
    return f" · about {seconds:.0f} s left" if seconds < 90 else f" · about {seconds / 60:.0f} min left"


def _stop(key: Hashable) -> None:
    st.session_state["_stopped"] = key


def want_again() -> None:
    """Let what was stopped run, when it comes to it."""
    st.session_state.pop("_stopped", None)
