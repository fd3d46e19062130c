"""The lesson in a real browser: a chapter is read, its try is done and ticked, and the next one begins at its top."""

import pytest
from visitor import ALERT, PICTURE, Explorer

pytestmark = pytest.mark.browser

MAIN = "[data-testid=stMain]"
CHAPTERS = f"{MAIN} .st-key-chapter button"


def test_a_chapter_is_done_and_the_next_one_begins(explorer: Explorer):
    explorer.open("/lesson?chapter=2")
    page = explorer.page
    explorer.expect(f"{MAIN} h2").to_have_text("2 · What a frame sees")
    explorer.expect(PICTURE).to_have_count(2)
    explorer.expect(ALERT).to_have_count(0)
    page.get_by_role("slider", name="Frames apart").press("ArrowRight")
    explorer.expect(ALERT).to_contain_text("They share no sample")
    explorer.expect(f"{CHAPTERS} >> nth=1").to_have_text("2 ✓")
    page.get_by_role("button", name="Next chapter").click()
    explorer.expect(f"{MAIN} h2").to_have_text("3 · Queries and keys")
    explorer.expect(PICTURE).to_have_count(1)
    explorer.wait()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    assert "chapter=3" in page.url
    assert "tried=2" in page.url
    page.get_by_text("Answer", exact=True).click()
    explorer.expect(f"{MAIN} details").to_contain_text("It does not look at the distance")
    page.get_by_role("link", name="See more of this on the page Attention").click()
    assert explorer.trace()["layers"] == 6
    assert "head=2" in page.url
