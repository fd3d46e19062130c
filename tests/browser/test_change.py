"""What if in the viewer: two passes of one clip, flipped by a key, and their difference; numbers as the traces'."""

import re
from typing import Any

import numpy as np
import pytest
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.effects import head_importance
from wavlm_explorer.interventions import ContentOff, FramesHidden, HeadsOff
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser

READ = """(viewer, name) => {
    const { values, size, layer, head } = viewer.store.state[name] ?? viewer.store.state.both[name];
    return [layer, head, size, Array.from(values)];
}"""
IS_EXACT = "viewer => viewer.store.state.weights?.precision === 'exact differences'"
TIMES = "viewer => [viewer.store.state.time, viewer.store.state.playing]"
COLOURS = """canvas => new Set(new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""


class Pair:
    """The page as its visitor uses it, and what the viewer holds."""

    def __init__(self, explorer: Explorer, link: str) -> None:
        self.explorer, self.page = explorer, explorer.page
        explorer.open(link)
        self.find()

    def find(self) -> None:
        """Find the viewer anew, once it shows both passes: Streamlit makes another when all of the page runs again."""
        self.root = self.explorer.viewer()
        self.wait("viewer => viewer.store?.state.both")

    def wait(self, condition: str) -> None:
        """Wait until a function of the viewer, in JavaScript, gives true."""
        self.page.wait_for_function(condition, arg=self.root.element_handle())

    def state(self, name: str) -> Any:
        return self.root.evaluate(f"viewer => viewer.store.state.{name}")

    def read(self, name: str) -> np.ndarray:
        """A map, [queries, keys], as the viewer has it: weights, before or after."""
        layer, head, size, values = self.root.evaluate(READ, name)
        assert [layer, head] == [self.state("layer"), self.state("head")]
        return np.array(values, np.float32).reshape(size, size)


def assert_within_a_byte(found: np.ndarray, weights: np.ndarray) -> None:
    assert (np.abs(found - weights) <= weights.max(-1, keepdims=True) / 509).all()


@pytest.fixture(scope="module")
def trace() -> wx.Trace:
    """What the page begins with."""
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def test_both_passes_and_their_difference_are_a_key_apart(explorer: Explorer, trace: wx.Trace):
    pair = Pair(explorer, "/what-if?what_if=content+off&where=all&shown_layer=2&shown_head=1&locked=60-80")
    before, after = (one.attention(2, 1)[0].numpy() for one in (trace, trace.what_if([ContentOff()])))
    for name, weights in (("before", before), ("after", after), ("weights", after)):
        assert_within_a_byte(pair.read(name), weights)
    told = re.findall(r"\d\.\d+", pair.root.locator(".readout dd.weight").inner_text())
    rounded = float(max(after[60].max(), before[60].max())) / 509 + 5e-5
    assert list(map(float, told)) == pytest.approx([after[60, 80], before[60, 80]], abs=rounded)
    explorer.expect(".readout .title").to_have_text("Layer 2 · head 1 · with the change")
    pair.root.locator(".main").focus()
    pair.page.keyboard.press("b")
    pair.wait("viewer => viewer.store.state.weights === viewer.store.state.both.before")
    explorer.expect(".sides [aria-pressed=true]").to_have_text("without")
    pair.page.keyboard.press("d")
    pair.wait(IS_EXACT)
    difference = pair.read("weights")
    np.testing.assert_allclose(difference, after - before, atol=1e-7)
    assert pair.state("weights.reach") == pytest.approx(np.abs(after - before).max())
    explorer.expect(".legend .note").to_have_text("with − without; exact differences")
    explorer.expect(".map .picture").to_have_attribute(
        "aria-label", re.compile("^Change of attention of layer 2, head 1")
    )
    pair.page.get_by_role("button", name="without", exact=True).click()
    pair.page.keyboard.press("b")
    pair.wait("viewer => viewer.store.state.side === 'after'")
    assert pair.state("locked") == {"query": 60, "key": 80}


def test_another_change_leaves_the_visitor_where_they_are(explorer: Explorer, trace: wx.Trace):
    pair = Pair(explorer, "/what-if?what_if=sound+hidden&span=20&shown_layer=2&shown_head=3&window=40-200&side=before")
    pair.page.get_by_role("button", name="Loop").click()
    pair.page.get_by_role("button", name="Play", exact=True).click()
    pair.wait("viewer => viewer.store.state.playing && viewer.store.state.time > 1")
    pair.root.evaluate("viewer => { viewer.kept = viewer.store; }")
    first, middle = pair.state("change.arrays"), (trace.num_frames - 1) // 2
    bands = pair.root.locator(".hidden-frames")
    assert bands.count() == 3
    place = bands.first.evaluate("band => [parseFloat(band.style.left), parseFloat(band.style.width)]")
    assert place == pytest.approx([100 * (middle - 10 - 40) / 160, 100 * 20 / 160], abs=1e-3)
    pair.page.get_by_role("slider", name="Frames").press("ArrowRight")
    pair.wait(f"viewer => viewer.store.state.change.arrays !== {first!r}")
    assert pair.root.evaluate("viewer => viewer.kept === viewer.store")
    assert [pair.state(name) for name in ("layer", "head", "side")] == [2, 3, "before"]
    assert pair.state("range") == {"from": 40, "to": 200}
    time, playing = pair.root.evaluate(TIMES)
    assert playing
    assert time > 0.9
    pair.page.get_by_role("button", name="with the change").click()
    after = trace.what_if([FramesHidden(slice(middle - 10, middle + 11))]).attention(2, 3)[0].numpy()
    pair.wait("viewer => !viewer.store.state.isWaiting && viewer.store.state.windowData")
    np.testing.assert_allclose(pair.read("after"), after[40:200, 40:200], atol=1e-6)


def test_the_track_leads_to_a_layer_and_the_atlas_tells_what_moved_and_what_matters(
    explorer: Explorer, trace: wx.Trace
):
    pair = Pair(explorer, "/what-if?what_if=head+off&layer=2&head=4")
    after = trace.what_if([HeadsOff(layers=2, heads=4)])
    moved = np.array([(after.attention(k) - trace.attention(k)).abs().sum(-1).mean(-1).numpy() / 2 for k in range(6)])
    explorer.expect(".atlas output").to_have_text(re.compile("36 of 36"))
    assert [pair.state("layer"), pair.state("head")] == [*map(int, np.unravel_index(moved.argmax(), moved.shape))]
    label = f"Layer 5, head 1, share that moves {100 * moved[5, 1]:.1f} %"
    assert pair.root.locator(f".atlas .head[aria-label='{label}']").count() == 1
    track = pair.root.locator(".movement canvas").first
    assert track.evaluate(COLOURS) > 20
    pair.page.get_by_role("button", name="difference").click()
    explorer.expect(".atlas .reach").to_contain_text("strongest colours")
    box = track.bounding_box()
    assert box is not None
    track.click(position={"x": box["width"] / 2, "y": 98 * 4.5 / 8})
    pair.wait("viewer => viewer.store.state.layer === 3 && viewer.store.state.locked === null")
    explorer.expect(".movement-legend").to_contain_text(re.compile(r"\d\.\d\d s: what leaves layer 3 moves by \d"))
    pair.page.wait_for_function("location.search.includes('shown_layer=3') && location.search.includes('side=diff')")
    pair.page.get_by_role("button", name="Switch off every head once").click()
    explorer.expect("button:has-text('Switch off every head once')").to_have_count(0)
    explorer.wait()
    pair.find()
    explorer.expect(".atlas select.measure").to_have_value("importance")
    pair.root.locator(".atlas .arrangement").select_option("highest first")
    importance = head_importance(trace)
    layer, head = divmod(int(importance.argmax()), 6)
    first = pair.root.locator(".atlas .head").first
    assert str(first.get_attribute("aria-label")).startswith(f"Layer {layer}, head {head}, importance")
    assert [pair.state("layer"), pair.state("side")] == [3, "difference"]


def test_a_bias_that_is_off_is_a_flat_curve(explorer: Explorer):
    pair = Pair(explorer, "/what-if?what_if=position+off&where=all&shown_layer=2&shown_head=1&locked=60-80")
    curves, heights = pair.root.locator(".column-label path.bias"), "paths => paths.map(path => path.getBBox().height)"
    explorer.expect(".atlas .preference").to_contain_text("its bias with the change, in layer 2")
    assert curves.evaluate_all(heights) == [0] * 6
    pair.page.get_by_role("button", name="without", exact=True).click()
    explorer.expect(".atlas .preference").to_contain_text("one bias for all layers")
    assert min(curves.evaluate_all(heights)) > 0


def test_one_trace_has_neither_switch_nor_track(explorer: Explorer):
    explorer.open()
    viewer = explorer.viewer()
    assert viewer.evaluate("viewer => viewer.store.state.change") is None
    for selector in (".sides", ".movement", ".reach", ".hidden-frames"):
        for one in viewer.locator(selector).all():
            assert not one.is_visible()
    explorer.page.get_by_text("Keys", exact=True).click()
    assert viewer.locator(".help dd:visible").count() == 10
