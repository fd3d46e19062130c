"""The atlas as a visitor uses it: it fills, sorts, filters and leads to a head; by pointer and by keyboard."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.samples import load_sample
from wavlm_explorer.tracing import Trace

pytestmark = pytest.mark.browser

HEAD = ".atlas .grid button.head"
CURRENT = f'{HEAD}[aria-current="true"]'
# Where the colour of each cell of a small map lies on the colour map, 0 to 255, as the page shows it.
SHADES = """canvas => {
    const { weights } = canvas.closest(".viewer").store.state.colours;
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return Array.from(pixels, pixel => weights.indexOf(pixel));
}"""
POOL = """async (viewer, maps) => {
    const { poolThumbnail, poolHead } = await import(new URL("thumbnail.js", viewer.querySelector("link").href));
    const cells = Object.assign(Uint8Array.from(maps.cells), { shape: [2, maps.size, maps.size] });
    const row_max = Float32Array.from(maps.maxima);
    const pooled = [poolThumbnail({ cells }, 1, maps.side), poolHead({ cells, row_max }, 1, maps.side)];
    return pooled.map(levels => Array.from(levels));
}"""


@pytest.fixture(scope="module")
def trace() -> Trace:
    """What the page shows at first."""
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


@pytest.fixture
def atlas(explorer: Explorer) -> Explorer:
    """A visitor before the whole atlas."""
    explorer.open()
    explorer.expect(".atlas output").to_have_text(re.compile("36 of 36"))
    return explorer


def heads(explorer: Explorer, selector: str = HEAD) -> list[tuple[int, int]]:
    """Layer and head of what is shown, in its order."""
    labels = [str(button.get_attribute("aria-label")) for button in explorer.page.locator(selector).all()]
    found = [re.match(r"Layer (\d+), head (\d+)", label) for label in labels]
    return [(int(match[1]), int(match[2])) for match in found if match]


def largest(values: np.ndarray, side: int) -> np.ndarray:
    """The largest of side x side blocks that are as equal as can be."""
    edges = np.arange(side) * len(values) // side
    return np.maximum.reduceat(np.maximum.reduceat(values, edges, 0), edges, 1)


def test_every_head_is_shown_by_its_largest_weights(atlas: Explorer, trace: Trace):
    assert heads(atlas) == [(layer, head) for layer in range(6) for head in range(6)]
    for layer, head in ((0, 2), (5, 5)):
        canvas = atlas.page.locator(f"{HEAD}[aria-label^='Layer {layer}, head {head},'] canvas")
        shades = np.array(canvas.evaluate(SHADES)).reshape(canvas.evaluate("canvas => [canvas.height, canvas.width]"))
        weights = max_pool(trace.attention(layer, head)[0], 5).sqrt().numpy()
        assert shades.shape == weights.shape == (53, 53)
        np.testing.assert_allclose(shades / 255, weights, atol=1.5 / 255)


def test_the_browser_pools_by_the_largest(atlas: Explorer):
    for size, side in ((12, 12), (12, 5), (7, 3), (9, 1)):
        random = np.random.default_rng(size)
        cells, maxima = random.integers(0, 256, (2, size, size)), random.uniform(0.01, 1, (2, size))
        maps = {"cells": cells.flatten().tolist(), "maxima": maxima.flatten().tolist(), "size": size, "side": side}
        levels, pooled = atlas.page.locator(".viewer").evaluate(POOL, maps)
        np.testing.assert_array_equal(levels, largest(cells[1], side).flatten())
        weights = largest(cells[1] / 255 * maxima[1][:, None], side).flatten()
        np.testing.assert_allclose((np.array(pooled) / 255) ** 2, weights, rtol=1e-5, atol=1e-9)


def test_a_click_goes_to_the_head(atlas: Explorer):
    assert heads(atlas, CURRENT) == [(3, 0)]
    atlas.page.locator(HEAD).nth(1 * 6 + 4).click()
    atlas.page.wait_for_function("location.search.includes('layer=1') && location.search.includes('head=4')")
    assert heads(atlas, CURRENT) == [(1, 4)]
    atlas.expect(".heads h3").to_have_text("Heads of layer 1")
    atlas.page.locator(".heads button").nth(2).click()
    atlas.page.wait_for_function("location.search.includes('head=2')")
    assert heads(atlas, CURRENT) == [(1, 2)]


def test_the_keyboard_alone_suffices(atlas: Explorer):
    atlas.page.locator(".atlas .arrangement").focus()
    for _ in range(3):
        atlas.page.keyboard.press("Tab")
    assert heads(atlas, f"{HEAD}:focus") == [(3, 0)]
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"):
        atlas.page.keyboard.press(key)
    atlas.expect(".atlas .card figcaption b").to_have_text("Layer 2, head 2")
    atlas.page.keyboard.press("Enter")
    assert heads(atlas, f"{HEAD}:focus") == [(2, 2)]
    atlas.page.wait_for_function("location.search.includes('layer=2') && location.search.includes('head=2')")


def test_pointing_shows_a_head_closer_up_with_its_numbers(atlas: Explorer, trace: Trace):
    card = atlas.page.locator(".atlas .card")
    atlas.page.locator(HEAD).nth(2 * 6 + 5).hover()
    atlas.expect(".atlas .card figcaption b").to_have_text("Layer 2, head 5")
    span = float(trace.measures()["span_ms"][2, 5])
    assert card.locator("dd b").first.inner_text() == f"{span:.0f} ms"
    atlas.page.locator(".atlas output").hover()
    atlas.expect(".atlas .card figcaption b").to_have_text("Layer 3, head 0")


def test_a_list_is_in_the_order_of_its_measure(atlas: Explorer, trace: Trace):
    for name, arrangement in (("verticality", "highest"), ("position_share", "highest"), ("position_share", "lowest")):
        atlas.page.locator(".atlas .measure").select_option(name)
        atlas.page.locator(".atlas .arrangement").select_option(arrangement)
        order = torch.argsort(trace.measures()[name].flatten(), descending=arrangement == "highest").tolist()
        assert heads(atlas) == [(index // 6, index % 6) for index in order]


def test_a_range_dims_the_grid_and_shortens_the_list(atlas: Explorer, trace: Trace):
    numbers = trace.measures()["entropy"].flatten()
    atlas.page.locator(".atlas .measure").select_option("entropy")
    atlas.page.locator(".atlas .least").fill("30")
    atlas.page.locator(".atlas .most").fill("80")
    low, high = (float(numbers.min() + (numbers.max() - numbers.min()) * share) for share in (0.3, 0.8))
    inside = {index for index, number in enumerate(numbers.tolist()) if low <= number <= high}
    assert 0 < len(inside) < 36
    shown = heads(atlas, f"{HEAD}:not(.outside)")
    assert {layer * 6 + head for layer, head in shown} == inside
    atlas.expect(".atlas output").to_contain_text(f"{len(inside)} of 36")
    atlas.page.locator(".atlas .arrangement").select_option("highest")
    assert len(heads(atlas)) == len(inside)
    atlas.page.get_by_role("button", name="Show all").click()
    assert len(heads(atlas)) == 36


def test_the_measures_are_explained(atlas: Explorer):
    atlas.page.get_by_text("What the measures mean").click()
    atlas.expect(".atlas .definitions dl > div").to_have_count(6)
    assert box(atlas, ".atlas .definitions math")["height"] > 20
    assert "arXiv 2006.03265" in atlas.page.locator(".atlas .definitions").inner_text()


def test_another_sound_brings_another_atlas(atlas: Explorer):
    before = atlas.page.locator(f"{HEAD} canvas").first.evaluate(SHADES)
    atlas.page.locator(".atlas .arrangement").select_option("lowest")
    atlas.page.locator(".st-key-sample [role=combobox], .st-key-sample input").first.click()
    atlas.page.get_by_role("option", name="Two voices").click()
    atlas.wait()
    atlas.expect(".atlas output").to_have_text(re.compile("36 of 36"))
    atlas.page.locator(".atlas .arrangement").select_option("grid")
    assert atlas.page.locator(f"{HEAD} canvas").first.evaluate(SHADES) != before


def test_the_atlas_fits_every_screen(atlas: Explorer):
    for width in (360, 1440, 3840):
        atlas.page.set_viewport_size({"width": width, "height": 900})
        atlas.wait()
        outer, grid, first = (box(atlas, name) for name in (".atlas", ".atlas .grid", HEAD))
        assert grid["x"] + grid["width"] <= outer["x"] + outer["width"] <= width
        assert first["width"] >= 24


def box(explorer: Explorer, selector: str) -> Any:
    """Where the first such element stands, in CSS pixels."""
    return explorer.page.locator(selector).first.bounding_box()
