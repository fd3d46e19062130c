"""The viewer in a real browser: point, keep, compare and zoom, by mouse and keyboard; numbers as the trace's."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from viewing import Viewer

import wavlm_explorer as wx

pytestmark = pytest.mark.browser

LAYER, HEAD = 3, 0  # where the page opens
ROW_AND_COLUMN = """async (root, [query, key]) => {
    const { rowOf, columnOf } = await import(new URL(root.store.state.trace.files + "/weights.js", location.origin));
    const { weights } = root.store.state;
    return [[...rowOf(weights, query)], [...columnOf(weights, key)]];
}"""


def test_the_row_of_the_hovered_frame_is_that_of_the_trace(viewer: Viewer, trace: wx.Trace):
    pointed = viewer.point(0.4, 0.3)
    query, key = pointed["query"], pointed["key"]
    assert 0 < key < query < trace.num_frames
    weights = trace.attention(LAYER, HEAD)[0].numpy()
    row, column = viewer.root.evaluate(ROW_AND_COLUMN, [query, key])
    half_steps = weights.max(-1) / 510 * 1.001
    assert np.abs(np.array(row) - weights[query]).max() <= half_steps[query]
    assert (np.abs(np.array(column) - weights[:, key]) <= half_steps).all()
    expect(viewer.find(".readout dd.query")).to_contain_text(f"{trace.frame_times[query]:.2f} s")
    expect(viewer.find(".readout dd.key")).to_contain_text(f"{trace.frame_times[key]:.2f} s")


def test_a_click_keeps_the_frame_until_escape(viewer: Viewer):
    viewer.point(0.4, 0.3)
    viewer.page.mouse.click(*viewer.at(0.4, 0.3))
    kept = viewer.state("locked")
    shown = viewer.find(".readout dd.query").inner_text()
    assert viewer.point(0.8, 0.9) != kept
    assert viewer.state("locked") == kept
    expect(viewer.find(".readout dd.query")).to_have_text(shown)
    viewer.page.keyboard.press("Escape")
    assert viewer.state("locked") is None


def test_shift_adds_a_second_frame_to_compare(viewer: Viewer):
    kept = viewer.point(0.4, 0.3)
    viewer.page.keyboard.down("Shift")
    viewer.page.mouse.move(*viewer.at(0.6, 0.3))
    viewer.page.keyboard.up("Shift")
    viewer.wait("root => root.store.state.compared !== null")
    assert viewer.state("locked") == kept
    assert viewer.state("compared") > kept["query"]
    expect(viewer.find(".readout dd.compared")).to_contain_text(" s")


def test_a_drag_shows_a_window_with_exact_weights(viewer: Viewer, trace: wx.Trace):
    viewer.drag(0.3, 0.25, 0.35, 0.5)
    viewer.wait("root => root.store.state.windowData !== null")
    shown = viewer.state("range")
    frames = slice(shown["from"], shown["to"])
    assert 0 < frames.start < frames.stop < trace.num_frames
    exact = trace.attention(LAYER, HEAD, frames)[0, :, frames].numpy()
    np.testing.assert_array_equal(viewer.weights(), exact)
    expect(viewer.find(".legend .note")).to_contain_text("exact weights")
    viewer.page.get_by_role("button", name="Whole clip").click()
    assert viewer.state("range") == {"from": 0, "to": trace.num_frames}
    expect(viewer.find(".legend .note")).to_contain_text("every frame")


def test_another_head_asks_the_server_for_nothing(viewer: Viewer, trace: wx.Trace):
    viewer.page.wait_for_timeout(1500)  # the neighbours come in the meantime
    asked: list[str] = []
    viewer.page.on("request", lambda request: asked.append(request.url))
    viewer.page.get_by_role("button", name="Next head").click()
    viewer.wait("root => root.store.state.weights.head === 1")
    viewer.page.get_by_role("button", name="Next layer").click()
    viewer.wait(f"root => root.store.state.weights.layer === {LAYER + 1}")
    step = trace.attention(LAYER + 1, 1)[0].numpy().max(-1, keepdims=True) / 255
    assert (np.abs(viewer.weights() - trace.attention(LAYER + 1, 1)[0].numpy()) <= step).all()
    assert [url for url in asked if f"layer={LAYER}&" in url or f"layer={LAYER + 1}" in url] == []


def test_the_keyboard_alone_suffices(viewer: Viewer):
    viewer.find(".main").focus()
    press = viewer.page.keyboard.press
    press("ArrowRight")
    start = viewer.state("locked")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        press(key)
    assert viewer.state("locked") == {"query": start["query"] + 2, "key": start["key"] + 1}
    expect(viewer.find(".spoken")).to_have_text(re.compile(r"Query \d\.\d\d seconds.*, key .*, weight .*\d"))
    press("Shift+ArrowDown")
    assert viewer.state("compared") == start["query"] + 3
    press("Alt+ArrowRight")
    press("Alt+ArrowDown")
    assert (viewer.state("layer"), viewer.state("head")) == (LAYER + 1, 1)
    press("+")
    shown = viewer.state("range")
    assert shown["from"] <= start["key"] < shown["to"] < shown["from"] + 200
    press("0")
    press(" ")
    viewer.wait("root => root.store.state.playing")
    heard = viewer.state("heard")
    assert heard["from"] < heard["to"] < heard["from"] + 1
    viewer.wait("root => !root.store.state.playing")
    press("Escape")
    press("Escape")
    assert (viewer.state("compared"), viewer.state("locked")) == (None, None)


def test_the_viewer_follows_the_theme(viewer: Viewer):
    viewer.page.emulate_media(color_scheme="dark")
    viewer.wait("root => root.store.state.colours.background === '#11141b'")
    viewer.page.emulate_media(color_scheme="light")
    viewer.wait("root => root.store.state.colours.background === '#ffffff'")


def test_a_hundred_heads_leave_nothing_behind(viewer: Viewer):
    session = viewer.page.context.new_cdp_session(viewer.page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
        return used["usedSize"] + used.get("backingStorageSize", 0)

    def change_heads(times: int) -> None:
        viewer.root.evaluate(
            """async (root, times) => {
                const { store } = root, heads = store.state.trace.heads;
                for (let time = 1; time <= times; time++) {
                    store.set({ head: (store.state.head + 1) % heads });
                    await new Promise(requestAnimationFrame);
                    await new Promise(requestAnimationFrame);
                }
            }""",
            times,
        )

    def settle() -> None:
        """Wait until the neighbours, fetched while nothing else is to do, are here: they are meant to stay."""
        viewer.root.evaluate(
            """async () => {
                const fetched = () => performance.getEntriesByType("resource").length;
                for (let before = -1; before !== fetched(); ) {
                    before = fetched();
                    await new Promise(resolve => setTimeout(resolve, 1500));
                }
            }"""
        )

    change_heads(12)
    settle()
    before = heap()
    change_heads(100)
    settle()
    assert heap() < 1.1 * before
