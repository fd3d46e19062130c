"""The page of the gate in a real browser: its link, and its equations on a phone and on a page."""

import pytest
from visitor import PICTURE, Explorer

pytestmark = pytest.mark.browser

EQUATIONS = "[data-testid=stMain] .katex-display"
ROUNDING = 4  # pixels by which KaTeX's box exceeds what it draws


@pytest.mark.parametrize(("width", "rows"), [(400, 3), (1440, 1)])
def test_three_steps_stand_below_or_beside_each_other(browser, address: str, width: int, rows: int):
    context = browser.new_context(viewport={"width": width, "height": 900})
    explorer = Explorer(context.new_page(), address)
    explorer.open("/gate?layer=5&head=2&frame=100")
    explorer.expect(PICTURE).to_have_count(6)
    explorer.expect(EQUATIONS).to_have_count(4)  # the lesson's, and three with numbers
    boxes = [box.bounding_box() for box in explorer.page.locator(EQUATIONS).all()[1:]]
    assert len({round(box["y"]) // 100 for box in boxes if box}) == rows
    overflow = explorer.page.locator(EQUATIONS).evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert max(overflow) <= ROUNDING
    assert explorer.page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_link_follows_the_frame(explorer: Explorer):
    explorer.open("/gate?layer=5&head=2&frame=100")
    explorer.expect(PICTURE).to_have_count(6)
    explorer.page.get_by_role("slider", name="Frame").press("ArrowRight")
    explorer.page.wait_for_function("location.search.includes('frame=101')")
    explorer.wait()
    assert "layer=5" in explorer.page.url
    explorer.expect("[data-testid=stMain]").to_contain_text("in frame 101, the gate of head 2")
