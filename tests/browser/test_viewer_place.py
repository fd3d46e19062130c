"""The viewer in a real browser: its place in the link, another sound, a lost trace."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from viewing import WAITED, Viewer
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.audio import Audio
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser


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
    viewer.page.wait_for_timeout(500)  # a neighbour may be fetched meanwhile: then nothing new arrives
    viewer.find("input[aria-label=Layer]").fill("1")
    viewer.find("input[aria-label=Layer]").press("Enter")
    viewer.wait("root => root.store.state.weights.layer === 1")
    expect(viewer.find(".trouble")).to_be_empty()
