"""Labels in a real browser: on the time axis, by pointer and by keyboard, uploaded, pooled."""

from pathlib import Path

import pytest
from playwright.sync_api import Position
from visitor import PICTURE, SIDEBAR, Explorer

from wavlm_explorer import Interval, load_labels
from wavlm_explorer.samples import load_sample, sample_textgrid

pytestmark = pytest.mark.browser

CANVAS = ".viewer .labels canvas"
TIP = ".viewer .label-tip"
# Where a time lies on the page, in CSS pixels from the left of the label tracks.
X_OF = """async (viewer, seconds) => {
    const { frameToX, secondsToFrame } = await import(`${viewer.store.state.trace.files}/axis.js`);
    return frameToX(viewer.store.state, secondsToFrame(viewer.store.state.trace, seconds));
}"""
BOUNDARIES = """async viewer => {
    const { boundaries } = await import(`${viewer.store.state.trace.files}/labels.js`);
    return boundaries(viewer.store.state);
}"""


@pytest.fixture
def words():
    return load_labels(sample_textgrid("sentence").encode())[1]


def state(explorer: Explorer, name: str):
    return explorer.viewer().evaluate(f"viewer => viewer.store.state.{name}")


def position(explorer: Explorer, seconds: float, tier: int) -> Position:
    return {"x": explorer.viewer().evaluate(X_OF, seconds), "y": 22 * tier + 11}


def said(interval: Interval) -> str:
    """As the page says it."""
    milliseconds = 1000 * (interval.end - interval.start)
    return f"{interval.text}, {interval.start:.3f} to {interval.end:.3f} s ({milliseconds:.0f} ms)"


def test_a_label_under_the_pointer_is_said_in_full(explorer: Explorer, words):
    explorer.open()
    fox = next(interval for interval in words.intervals if interval.text == "fox")
    explorer.page.locator(CANVAS).hover(position=position(explorer, (fox.start + fox.end) / 2, 1))
    explorer.expect(TIP).to_have_text(said(fox))
    explorer.expect(TIP).to_be_visible()
    explorer.page.mouse.move(5, 5)
    explorer.expect(TIP).to_be_hidden()


def test_a_click_plays_a_label_and_a_double_click_zooms_to_it(explorer: Explorer, words):
    explorer.open()
    fox = next(interval for interval in words.intervals if interval.text == "fox")
    place = position(explorer, (fox.start + fox.end) / 2, 1)
    explorer.page.locator(CANVAS).click(position=place)
    heard = state(explorer, "heard")
    assert (heard["from"], heard["to"]) == (fox.start, fox.end)
    assert state(explorer, "locked") is None
    explorer.page.locator(CANVAS).dblclick(position=place)
    shown, trace = state(explorer, "range"), explorer.trace()
    first, last = (trace["start"] + trace["field_seconds"] / 2 + (shown[end] - 0.5) * 0.02 for end in ("from", "to"))
    assert 0 < first < fox.start < fox.end < last < trace["duration"]
    assert last - first < 4 * (fox.end - fox.start)


def test_the_keyboard_alone_walks_along_the_labels(explorer: Explorer, words):
    explorer.open()
    explorer.page.get_by_role("button", name="words").press("Enter")
    canvas = explorer.page.locator(CANVAS)
    explorer.expect(".viewer .label-names button[aria-pressed=true]").to_have_text("words")
    assert explorer.viewer().evaluate(BOUNDARIES) == sorted(
        {time for interval in words.intervals for time in interval[:2]}
    )
    canvas.focus()
    canvas.press("Home")
    canvas.press("ArrowRight")
    explorer.expect(f"{CANVAS}[aria-valuenow='1']").to_have_attribute("aria-valuetext", said(words.intervals[1]))
    canvas.press("Enter")
    assert state(explorer, "range.to") < explorer.trace()["frames"]
    assert state(explorer, "locked") is None


def test_labels_beside_an_upload_are_drawn_and_pooled(explorer: Explorer, tmp_path: Path):
    sound, labels = tmp_path / "voices.wav", tmp_path / "voices.TextGrid"
    sound.write_bytes(load_sample("two_voices").to_wav())
    labels.write_text(sample_textgrid("two_voices"), encoding="utf-16")
    explorer.open()
    explorer.upload(sound)
    explorer.expect(CANVAS).to_have_count(0)
    explorer.page.locator("[data-testid=stSidebar] [data-testid=stFileUploader] input").last.set_input_files(labels)
    explorer.expect(SIDEBAR).to_contain_text("words: 6")
    explorer.expect(CANVAS).to_be_visible()
    assert [track["name"] for track in state(explorer, "labels")] == ["phones", "words"]
    explorer.open_section("Attention from label to label")
    explorer.expect(PICTURE).to_have_count(1)
    before = explorer.pictures()
    explorer.viewer().evaluate("viewer => viewer.store.set({ head: 2 })")
    explorer.page.wait_for_function("location.search.includes('head=2')")
    explorer.wait()
    assert explorer.pictures() != before
