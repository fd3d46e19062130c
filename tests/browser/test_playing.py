"""The birth of the heads played back in a real browser, whose clock makes the page step."""

import pytest
from playwright.sync_api import Locator, expect
from visitor import PICTURE, Explorer

pytestmark = pytest.mark.browser


def button(explorer: Explorer, name: str) -> Locator:
    """The page's own button (its header may have a Stop too), once the one that it replaces is gone."""
    found = explorer.page.locator("[data-testid=stMain]").get_by_role("button", name=name)
    expect(found).to_have_count(1)
    return found


def test_it_plays_to_the_end_and_rests(explorer: Explorer):
    explorer.open("/birth?birth_moment=7")
    explorer.expect(PICTURE).to_have_count(2)
    button(explorer, "Play").click()
    button(explorer, "Stop").wait_for()
    explorer.expect("[data-testid=stMain]").to_contain_text("After 5,400 steps")
    button(explorer, "Play").wait_for()
    explorer.wait()
    assert "birth_moment" not in explorer.page.url  # the last is the default


def test_it_stops_when_told(explorer: Explorer):
    explorer.open("/birth?birth_moment=2")
    explorer.expect(PICTURE).to_have_count(2)
    button(explorer, "Play").click()
    explorer.expect("[data-testid=stMain]").to_contain_text("After 39 steps")
    button(explorer, "Stop").click()
    button(explorer, "Play").wait_for()
    explorer.wait()
    rested = explorer.page.url
    explorer.page.wait_for_timeout(2500)  # two steps' time
    assert explorer.page.url == rested
