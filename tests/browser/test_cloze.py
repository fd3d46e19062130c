"""The cloze in a real browser: a drag hides, the guesses are the checkpoint's, and a class is heard."""

from importlib import resources
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser

VARIANTS = 4
SILENT = """root => {
    const { sound, recorded } = root.store.state, changed = [];
    const [gapped, whole] = [sound, recorded].map(({ wav }) => new Int16Array(wav.buffer, wav.byteOffset + 44));
    gapped.forEach((sample, at) => { if (sample !== whole[at]) changed.push(at); });
    const [first, last] = [changed[0], changed.at(-1)];
    return [first, last, gapped.slice(first, last).every(sample => sample === 0)];
}"""


class Cloze:
    """The cloze as its visitor uses it, and what it holds."""

    def __init__(self, explorer: Explorer, link: str) -> None:
        self.page = explorer.page
        explorer.open(link)
        self.root = self.page.locator(".cloze")
        self.wait_for_guesses()

    def wait(self, condition: str) -> None:
        """Wait until a function of the store's state, in JavaScript, gives true."""
        handle = self.root.element_handle()
        self.page.wait_for_function(f"root => root.store && ({condition})(root.store.state)", arg=handle)

    def wait_for_guesses(self) -> None:
        self.wait(
            "({ hidden, hiding, guesses, truth }) => truth && !hiding && "
            f"guesses.filter(one => one && one.from === hidden.from && one.to === hidden.to).length === {VARIANTS}"
        )

    def state(self, name: str) -> Any:
        return self.root.evaluate(f"root => root.store.state.{name}")

    def hidden(self) -> tuple[int, int]:
        return self.state("hidden.from"), self.state("hidden.to")

    def probabilities(self) -> np.ndarray:
        return np.array(self.root.evaluate("root => [...root.store.state.guesses[0].probabilities]")).reshape(-1, 100)

    def drag(self, start: float, stop: float) -> None:
        """Drag over the sound, from one place to another, in frames."""
        tracks, layout, frames = self.root.locator(".tracks"), self.state("layout"), self.state("trace.frames")
        tracks.scroll_into_view_if_needed()
        box = tracks.bounding_box()
        assert box is not None
        first, last = (box["x"] + layout["left"] + layout["width"] * frame / frames for frame in (start, stop))
        self.page.mouse.move(first, box["y"] + 100)
        self.page.mouse.down()
        self.page.mouse.move(last, box["y"] + 100, steps=4)
        self.page.mouse.up()
        self.wait_for_guesses()


def by_hand(first: int, last: int) -> np.ndarray:
    """A masked pass through the model's own encoder, and softmax(W y + b) of the tensors in the checkpoint."""
    with (resources.files("wavlm_explorer") / "assets" / "nano" / "nano.pt").open("rb") as file:
        stored = torch.load(file, weights_only=True)["prediction"]
    model, samples = wx.load_model("nano"), torch.tensor(load_sample("sentence").samples)
    with torch.no_grad():
        features = model.project(model.extract_frames(samples[None])).clone()
        features[:, first:last] = model.mask_emb
        output, _ = model.encoder(features)
        return (output[0, first:last] @ stored["weight"].float().T + stored["bias"].float()).softmax(dim=-1).numpy()


def test_a_drag_hides_and_the_model_guesses(explorer: Explorer):
    cloze = Cloze(explorer, "/cloze?hidden_from=60&hidden_frames=3")
    said = cloze.root.locator(".say.hidden")
    assert cloze.hidden() == (60, 63)
    cloze.drag(200.5, 209.5)
    assert cloze.hidden() == (200, 210)
    np.testing.assert_allclose(cloze.probabilities(), by_hand(200, 210), atol=1e-5)
    expect(said).to_contain_text("frames 200 to 209, 10 in all (200 ms)")
    cloze.drag(205.5, 195.5)
    assert cloze.hidden() == (190, 200)  # dragged inside, it moves
    cloze.drag(200, 240)
    assert cloze.hidden() == (190, 215)  # its edge gives way, to 25 frames at most
    expect(said).to_contain_text("No more than 25")
    cloze.root.locator(".tracks").focus()
    for key in ("ArrowRight", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        cloze.page.keyboard.press(key)
    cloze.wait_for_guesses()
    assert cloze.hidden() == (191, 214)
    for choice in ("hidden_from=191", "hidden_frames=23"):
        cloze.page.wait_for_function(f"location.search.includes('{choice}')")


def test_an_answer_to_what_is_no_longer_hidden_is_no_trouble(explorer: Explorer):
    cloze, held = Cloze(explorer, "/cloze?hidden_from=60&hidden_frames=3"), []
    cloze.page.route("**/guess?*", lambda route: held.append(route))
    cloze.root.locator(".tracks").press("ArrowRight")
    while not held:
        cloze.page.wait_for_timeout(20)
    cloze.root.evaluate("root => root.store.set({ hiding: true, hidden: { from: 70, to: 73 } })")  # as a drag does
    cloze.wait("({ guesses }) => guesses.length === 0")
    with cloze.page.expect_response("**/guess?*"):
        held[0].continue_()
    cloze.page.unroute("**/guess?*")
    cloze.page.wait_for_timeout(200)
    assert cloze.state("trouble") is None
    cloze.root.evaluate("root => root.store.set({ hiding: false })")
    cloze.wait_for_guesses()


def test_a_class_is_heard_and_the_sound_with_its_gap(explorer: Explorer):
    cloze = Cloze(explorer, "/cloze?hidden_from=200&hidden_frames=4")
    cloze.root.locator(".lens canvas").focus()
    cloze.page.keyboard.press("ArrowRight")
    cloze.page.keyboard.press("1")
    best = cloze.probabilities()[0].argmax()
    expect(cloze.root.locator(".say.heard")).to_contain_text(f"Heard: class {best}")
    cloze.page.get_by_role("button", name="With the gap").click()
    cloze.wait("({ playing }) => playing")
    first, last, is_silent = cloze.root.evaluate(SILENT)
    assert is_silent
    assert 0 <= first - (320 * 200 + 40) < 20  # where the hidden frames' cells begin and end; a sample may be 0 anyway
    assert -20 < last - (320 * 204 + 40) < 0
