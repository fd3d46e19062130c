"""The birth of the heads played back in a real browser, whose clock makes the page step."""

import pytest
from visitor import PICTURE, Explorer

pytestmark = pytest.mark.browser


def test_it_plays_to_the_end_and_rests(explorer: Explorer):
    explorer.open("/birth?birth_moment=8")
    explorer.expect(PICTURE).to_have_count(2)
    explorer.page.get_by_role("button", name="Play").click()
    stop = explorer.page.get_by_role("button", name="Stop")
    stop.wait_for()
    for steps in ("1,534", "5,400"):
        explorer.expect("[data-testid=stMain]").to_contain_text(f"After {steps} steps")
    stop.wait_for(state="detached")
    explorer.wait()
    assert "birth_moment" not in explorer.page.url  # the last is the default


def test_it_stops_when_told(explorer: Explorer):
    explorer.open("/birth?birth_moment=2")
    explorer.expect(PICTURE).to_have_count(2)
    explorer.page.get_by_role("button", name="Play").click()
    explorer.expect("[data-testid=stMain]").to_contain_text("After 39 steps")
    explorer.page.get_by_role("button", name="Stop").click()
    explorer.page.get_by_role("button", name="Play").wait_for()
    explorer.wait()
    rested = explorer.page.url
    explorer.page.wait_for_timeout(2500)  # two steps' time
    assert explorer.page.url == rested
