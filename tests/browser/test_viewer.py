"""The viewer in a real browser: point, keep, zoom, listen, by mouse, keyboard and finger; numbers as the trace's."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.audio import Audio
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser

LAYER, HEAD = 3, 0  # where the page opens
WAITED = "root => root.store?.state.weights?.layer === root.store?.state.layer && root.store?.state.sound"
WEIGHTS = "root => { const { values, size, from } = root.store.state.weights; return [[...values], size, from]; }"
ROW_AND_COLUMN = """async (root, [query, key]) => {
    const { rowOf, columnOf } = await import(new URL(root.store.state.trace.files + "/weights.js", location.origin));
    const { weights } = root.store.state;
    return [[...rowOf(weights, query)], [...columnOf(weights, key)]];
}"""


class Viewer:
    """The viewer as its visitor uses it, and what it holds."""

    def __init__(self, explorer: Explorer, link: str = "/") -> None:
        self.explorer, self.page = explorer, explorer.page
        explorer.open(link)
        self.root = self.page.locator(".viewer")
        self.wait(WAITED)

    def wait(self, condition: str) -> None:
        """Wait until a function of the viewer's root element, in JavaScript, gives true."""
        handle = self.root.element_handle()
        self.page.wait_for_function(condition, arg=handle)

    def state(self, name: str) -> Any:
        return self.root.evaluate(f"root => root.store.state.{name}")

    def find(self, selector: str) -> Locator:
        return self.root.locator(selector)

    def at(self, query: float, key: float) -> tuple[float, float]:
        """Where on the screen the map shows these shares of what is shown."""
        self.find(".map-over").scroll_into_view_if_needed()
        box = self.find(".map-over").bounding_box()
        assert box is not None
        return box["x"] + key * box["width"], box["y"] + query * box["height"]

    def point(self, query: float, key: float) -> dict[str, int]:
        self.page.mouse.move(*self.at(query, key))
        self.wait("root => root.store.state.pointed !== null")
        return self.state("pointed")

    def drag(self, query: float, key: float, to_query: float, to_key: float) -> None:
        self.page.mouse.move(*self.at(query, key))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(to_query, to_key), steps=3)
        self.page.mouse.up()

    def weights(self) -> np.ndarray:
        values, size, _ = self.root.evaluate(WEIGHTS)
        return np.array(values, np.float32).reshape(size, size)


@pytest.fixture(scope="module")
def trace() -> wx.Trace:
    """What the page shows first, traced here."""
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


@pytest.fixture
def viewer(explorer: Explorer) -> Viewer:
    """The page as it opens."""
    return Viewer(explorer)


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


def test_a_second_click_plays_the_key(viewer: Viewer):
    for _ in range(2):
        viewer.page.mouse.click(*viewer.at(0.4, 0.3))
    viewer.wait("root => root.store.state.heard !== null && !root.store.state.playing")
    heard = viewer.state("heard")
    assert heard["to"] - heard["from"] == pytest.approx(0.3)
    assert heard["to"] - 0.05 < viewer.state("time") < heard["to"] + 0.5
    expect(viewer.find(".tracks-over .heard")).to_be_visible()


def test_the_playhead_keeps_up_with_the_sound(viewer: Viewer):
    viewer.page.get_by_role("button", name="Loop").click()
    viewer.page.get_by_role("button", name="Play", exact=True).click()
    viewer.wait("root => root.store.state.playing")
    drifts = viewer.root.evaluate(
        """root => new Promise(done => {
            const { store, sound } = root, { trace } = store.state, drifts = [];
            const playhead = root.querySelector(".tracks-over .playhead");
            store.listen(({ playing }) => {
                if (!playing || drifts.length >= 30) return done(drifts);
                const frame = parseFloat(playhead.style.left) / 100 * trace.frames - 0.5;
                drifts.push(sound.clock() - trace.start - trace.field_seconds / 2 - frame * trace.hop_seconds);
            });
        })"""
    )
    assert len(drifts) == 30
    assert np.abs(np.median(drifts)) < 0.03
    viewer.page.get_by_role("button", name="Pause").click()
    viewer.wait("root => !root.store.state.playing")


def test_the_link_leads_back_to_the_place(explorer: Explorer, browser):
    viewer = Viewer(explorer, "/?layer=1&head=2&scale=linear&window=20-80&locked=30-40")
    place = ("layer", "head", "scale", "range", "locked")
    expected = [1, 2, "linear", {"from": 20, "to": 80}, {"query": 30, "key": 40}]
    assert [viewer.state(name) for name in place] == expected
    viewer.find(".main").focus()
    viewer.page.keyboard.press("Alt+ArrowRight")
    viewer.page.keyboard.press("ArrowLeft")
    viewer.page.wait_for_function("location.search.includes('head=3') && location.search.includes('locked=30-39')")
    context = browser.new_context()
    other = Viewer(Explorer(context.new_page(), explorer.address), viewer.page.url.removeprefix(explorer.address))
    assert [other.state(name) for name in place] == [1, 3, "linear", {"from": 20, "to": 80}, {"query": 30, "key": 39}]
    context.close()


@pytest.mark.parametrize("link", ["window=80-20&locked=1&scale=loud", "window=0-99999&locked=5-99999"])
def test_a_place_without_sense_shows_the_whole_clip(explorer: Explorer, link: str, trace: wx.Trace):
    viewer = Viewer(explorer, f"/?{link}")
    assert viewer.state("range") == {"from": 0, "to": trace.num_frames}
    assert (viewer.state("locked"), viewer.state("scale")) == (None, "square root")


def test_another_sound_is_shown_whole_and_each_visitor_sees_its_own(browser, address: str, tmp_path: Path):
    addresses = []
    for seconds in (1.0, 2.0):
        path = tmp_path / f"{seconds:.0f}.wav"
        path.write_bytes(Audio(load_sample("sentence").samples[: int(16_000 * seconds)]).to_wav())
        context = browser.new_context()
        viewer = Viewer(Explorer(context.new_page(), address), "/?window=20-180&locked=100-100")
        viewer.explorer.upload(path)
        viewer.wait(f"root => Math.abs(root.store.state.trace.duration - {seconds}) < 0.01")
        viewer.wait(WAITED)
        assert viewer.state("range") == {"from": 0, "to": viewer.state("trace.frames")}
        assert viewer.state("locked") is None
        assert viewer.state("sound.duration") == pytest.approx(seconds, abs=0.01)
        addresses.append(viewer.state("trace.arrays"))
        context.close()
    assert addresses[0] != addresses[1]


@pytest.mark.parametrize(("status", "said"), [(410, "Reload the page"), (None, "does not answer")])
def test_a_lost_trace_is_explained_and_the_page_lives_on(viewer: Viewer, status: int | None, said: str):
    viewer.page.route(
        "**/viewer/*/layer?**", lambda route: route.fulfill(status=status, body="") if status else route.abort()
    )
    viewer.find("input[aria-label=Layer]").fill("0")
    viewer.find("input[aria-label=Layer]").press("Enter")
    expect(viewer.find(".trouble")).to_contain_text(said)
    viewer.page.unroute("**/viewer/*/layer?**")
    viewer.find("input[aria-label=Layer]").fill("1")
    viewer.find("input[aria-label=Layer]").press("Enter")
    viewer.wait("root => root.store.state.weights.layer === 1")
    expect(viewer.find(".trouble")).to_be_empty()


def test_a_finger_keeps_and_hears(browser, address: str):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    viewer = Viewer(Explorer(context.new_page(), address))
    assert viewer.root.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    viewer.wait("root => root.querySelector('.atlas [aria-busy=false]') !== null")  # from now on nothing moves
    place = viewer.at(0.5, 0.4)
    viewer.page.touchscreen.tap(*place)
    viewer.wait("root => root.store.state.locked !== null && !root.store.state.playing")
    # It plays for 0.3 s only, which a look now and then could miss.
    viewer.root.evaluate("root => { root.store.listen(({ playing }) => { root.hasPlayed ||= playing; }); }")
    viewer.page.touchscreen.tap(place[0] + 3, place[1])
    viewer.wait("root => root.hasPlayed")
    assert viewer.explorer.errors == []
    context.close()


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
