"""The birth of the heads played back in a real browser, whose clock makes the page step."""

import pytest
from visitor import PICTURE, Explorer

pytestmark = pytest.mark.browser


BUTTON = ".st-key-birth_moment_play button"  # the page's header may have a Stop of its own


def test_it_plays_to_the_end_and_rests(explorer: Explorer):
    explorer.open("/birth?birth_moment=8")
    explorer.expect(PICTURE).to_have_count(2)
    explorer.page.locator(BUTTON).click()
    explorer.expect(BUTTON).to_contain_text("Stop")
    for steps in ("1,534", "5,400"):
        explorer.expect("[data-testid=stMain]").to_contain_text(f"After {steps} steps")
    explorer.expect(BUTTON).to_contain_text("Play")
    explorer.wait()
    assert "birth_moment" not in explorer.page.url  # the last is the default


def test_it_stops_when_told(explorer: Explorer):
    explorer.open("/birth?birth_moment=2")
    explorer.expect(PICTURE).to_have_count(2)
    explorer.page.locator(BUTTON).click()
    explorer.expect("[data-testid=stMain]").to_contain_text("After 39 steps")
    explorer.page.locator(BUTTON).click()
    explorer.expect(BUTTON).to_contain_text("Play")
    explorer.wait()
    rested = explorer.page.url
    explorer.page.wait_for_timeout(2500)  # two steps' time
    assert explorer.page.url == rested
