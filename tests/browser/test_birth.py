"""The birth of the heads in a real browser: played, stopped, pointed at, and kept."""

import re

import numpy as np
import pytest
from matplotlib import colormaps
from playwright.sync_api import Locator
from visitor import Explorer

from wavlm_explorer.birth import load_birth

pytestmark = pytest.mark.browser

BIRTH = load_birth()
SQUARE = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
    Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data].slice(0, 3)"""


@pytest.fixture
def moments(explorer: Explorer) -> Locator:
    """The component at moment 7, once it has drawn."""
    explorer.open("/birth?birth_moment=7&layer=5&head=2")
    explorer.expect(".birth .step").to_have_text("592")
    explorer.expect(".birth .map canvas.picture[aria-label]").to_have_count(1)
    return explorer.page.locator(".birth")


def test_it_plays_to_the_end_stops_and_is_kept(explorer: Explorer, moments: Locator):
    page = explorer.page
    moments.get_by_label("Pace").select_option("4 a second")
    moments.get_by_role("button", name="Play", exact=True).click()
    moments.get_by_role("button", name="Stop", exact=True).wait_for()
    explorer.expect(".birth .step").to_have_text("5,400")
    moments.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_function("!location.search.includes('birth_moment')")  # the last is the default
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")  # from the last it begins again
    page.wait_for_function("root => [2, 3, 4].includes(root.store.state.moment)", arg=moments.element_handle())
    page.keyboard.press("Space")
    moments.get_by_role("button", name="Play", exact=True).wait_for()
    rested = moments.evaluate("root => root.store.state.moment")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"location.search.includes('birth_moment={rested + 1}')")
    page.wait_for_timeout(600)  # two moments' time
    assert moments.evaluate("root => root.store.state.shown") == rested + 1
    explorer.open_section("Pictures and numbers to keep")
    explorer.expect("[data-testid=stMain]").to_contain_text(f"After {BIRTH.steps[rested + 1]:,} steps it guesses")


def test_maps_are_those_of_the_moment_and_can_be_pointed_at(explorer: Explorer, moments: Locator):
    page, table = explorer.page, colormaps["magma"](range(256), bytes=True)
    weights = BIRTH.weights(7)
    for layer, head in ((0, 1), (5, 2)):
        canvas = moments.get_by_label(f"Layer {layer}, head {head}", exact=True).locator("canvas")
        size = canvas.evaluate("canvas => canvas.width")
        edges = np.arange(size + 1) * 80 // size
        row, column = size // 2, size // 3
        block = weights[layer, head, edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
        expected = table[round(255 * float(block.max()) ** 0.5)][:3].astype(int)
        found = canvas.evaluate(SQUARE, [(column + 0.5) / size, (row + 0.5) / size])
        assert np.abs(np.array(found) - expected).max() <= 4  # one step of the colour map, in either rounding
    moments.get_by_label("Layer 3, head 4", exact=True).hover()
    explorer.expect(".birth .readout .title").to_have_text("Layer 3 · head 4")
    moments.get_by_label("Layer 1, head 0", exact=True).click()
    page.wait_for_function("location.search.includes('layer=1')")
    picture = moments.locator(".map canvas.picture")
    left, width = moments.evaluate("root => [root.store.state.layout.left, root.store.state.layout.width]")
    picture.hover(position={"x": left + (30.5 / 80) * width, "y": (20.5 / 80) * width})
    weight, signed = moments.locator(".readout dd.weight"), moments.locator(".map.signed")
    explorer.expect(".birth .readout dd.weight").to_have_text(re.compile(r"\d"))
    assert float(weight.inner_text()) == pytest.approx(float(BIRTH.weights(7)[1, 0, 20, 30]), abs=6e-5)
    assert signed.count() == 0
    page.keyboard.press("e")
    explorer.expect(".birth .step").to_have_text("5,400")
    assert float(weight.inner_text()) == pytest.approx(float(BIRTH.weights(11)[1, 0, 20, 30]), abs=6e-5)
    assert signed.count() == 0
    page.keyboard.press("e")
    explorer.expect(".birth .step").to_have_text("592")
    moments.locator(".charts .accuracy canvas").click(position={"x": 36, "y": 60})  # step 0 is at the left
    explorer.expect(".birth .step").to_have_text("0")
