"""Pictures in a real browser: as sharp as they were drawn, and wide ones readable on a phone."""

import pytest
from visitor import PICTURE, Explorer

pytestmark = pytest.mark.browser

PLACE = ".st-key-picture_{}"


def test_a_wide_picture_is_moved_sideways_where_it_does_not_fit(browser, address: str):
    context = browser.new_context(viewport={"width": 400, "height": 850})
    explorer = Explorer(context.new_page(), address)
    explorer.open("/glu?sample=A+pause")
    explorer.expect(PICTURE).to_have_count(5)
    wide, half = (explorer.page.locator(PLACE.format(name)) for name in ("glu_terms", "glu_regions"))
    for place, is_wide in ((wide, True), (half, False)):
        shown, whole = place.evaluate("place => [place.clientWidth, place.scrollWidth]")
        assert (whole > 800) == is_wide
        assert (whole > shown) == is_wide
    assert explorer.page.evaluate("document.documentElement.scrollWidth") <= 400
    wide.get_by_role("button").first.focus()
    explorer.page.keyboard.press("ArrowRight")
    explorer.page.wait_for_function("place => place.scrollLeft > 0", arg=wide.element_handle())
    explorer.page.set_viewport_size({"width": 1440, "height": 900})  # and fills a page that is wide enough
    explorer.page.wait_for_function("place => place.scrollWidth <= place.clientWidth", arg=wide.element_handle())
    width, place, drawn = wide.locator("img").evaluate(
        "image => [image.clientWidth, image.closest('[class*=st-key]').clientWidth, image.naturalWidth]"
    )
    assert width == place >= 805
    assert drawn == 1460
    context.close()
