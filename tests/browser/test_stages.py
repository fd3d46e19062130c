"""The stage strip, the gate's track and the bias curve: what the page computes is what PyTorch computes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer import Trace
from wavlm_explorer.gates import gate_from
from wavlm_explorer.interventions import AttentionTo, AttentionWithin, GateFixed, HeadsOff, LayersSkipped
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser

LAYER, HEAD = 2, 4
EVERY = 5  # of so many queries one is compared: numbers leave the browser slowly

# Runs the page's own modules on what the page's own route sends: logits, weights and output under each choice.
RECOMPUTE = """async (viewer, { layer, head, start, stop, every, choices }) => {
    const { trace } = viewer.store.state, import_ = name => import(`${trace.files}/${name}`);
    const [{ unpack }, { putTogether, switchTo }, { AS_THE_MODEL }] =
        await Promise.all(["payload.js", "head.js", "terms.js"].map(import_));
    const response = await fetch(`${trace.arrays}/stages?${new URLSearchParams({ layer, head, start, stop })}`);
    const whole = putTogether(unpack(await response.arrayBuffer()), null);
    return choices.map(choice => {
        const { now, terms } = switchTo(whole, { ...AS_THE_MODEL, ...choice });
        return Object.fromEntries(["logits", "weights", "output"].map(name => {
            const columns = now[name].length / terms.size;
            return [name, Array.from(now[name].filter((_, at) => Math.floor(at / columns) % every === 0))];
        }));
    });
}"""


@pytest.fixture(scope="module")
def sentence() -> Trace:
    """What the page shows first."""
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def open_stages(explorer: Explorer) -> None:
    """Open the page at a head, with the strip in view and drawn."""
    explorer.open(f"/?layer={LAYER}&head={HEAD}")
    explorer.page.locator(".stages").scroll_into_view_if_needed()
    explorer.expect(".stages h3").to_have_text(f"Layer {LAYER} · head {HEAD}, stage by stage")


def recompute(
    explorer: Explorer, start: int, stop: int, *choices: dict, head: int = HEAD
) -> list[dict[str, np.ndarray]]:
    """Let the page put a head together under each choice."""
    wanted = {"layer": LAYER, "head": head, "start": start, "stop": stop, "every": EVERY, "choices": choices}
    found = explorer.viewer().evaluate(RECOMPUTE, wanted)
    rows = len(range(start, stop, EVERY))
    return [{name: np.array(numbers).reshape(rows, -1) for name, numbers in one.items()} for one in found]


def what_if(trace: Trace, content: float = 1, gate: Callable[[Trace], torch.Tensor] | None = None) -> torch.Tensor:
    """The same weights in PyTorch."""
    terms = trace.attention_terms(LAYER, HEAD)
    chosen = terms.gate if gate is None else gate(trace)
    return torch.softmax(content * terms.content + chosen[:, None] * terms.bucket_bias, dim=-1)


def test_each_switch_equals_the_same_change_in_pytorch(explorer: Explorer, sentence: Trace):
    open_stages(explorer)
    expected: list[tuple[dict[str, Any], torch.Tensor]] = [
        ({}, sentence.attention(LAYER, HEAD)[0]),
        ({"content": False}, what_if(sentence, content=0)),
        ({"bias": False}, what_if(sentence, gate=lambda trace: torch.zeros(trace.num_frames))),
        ({"gate": "one"}, what_if(sentence, gate=lambda trace: torch.ones(trace.num_frames))),
        ({"gate": "slow path"}, what_if(sentence, gate=lambda trace: gate_from(trace, LAYER, "slow path")[HEAD])),
        ({"gate": "paper"}, what_if(sentence, gate=lambda trace: gate_from(trace, LAYER, "paper")[HEAD])),
    ]
    found = recompute(explorer, 0, sentence.num_frames, *(choice for choice, _ in expected))
    attention = sentence.model.encoder.block(LAYER).self_attn
    with torch.no_grad():
        value = attention.project_value(sentence.attention_input(LAYER)[:, None])[0, HEAD]
    for (choice, weights), arrays in zip(expected, found, strict=True):
        np.testing.assert_allclose(arrays["weights"], weights[::EVERY], atol=5e-4, err_msg=str(choice))
        np.testing.assert_allclose(arrays["output"], (weights @ value)[::EVERY], atol=5e-3, err_msg=str(choice))
        if choice:
            assert np.abs(arrays["weights"] - found[0]["weights"]).max() > 0.05, choice
    np.testing.assert_allclose(found[0]["logits"], sentence.attention_terms(LAYER, HEAD).logits[::EVERY], atol=1e-2)


def test_a_window_keeps_the_whole_clip_s_weights(explorer: Explorer, sentence: Trace):
    open_stages(explorer)
    found, without = recompute(explorer, 40, 140, {}, {"content": False})
    exact = sentence.attention(LAYER, HEAD)[0, 40:140:EVERY, 40:140]
    np.testing.assert_allclose(found["weights"], exact, atol=5e-4)
    np.testing.assert_allclose(without["weights"].sum(1), exact.sum(1), atol=1e-4)


def test_a_switch_says_what_it_changes_and_can_be_taken_back(explorer: Explorer, sentence: Trace):
    open_stages(explorer)
    explorer.expect(".stages [role=status]").to_have_text("As the model computes it.")
    before = explorer.page.locator(".stages canvas").nth(3).screenshot()
    explorer.page.get_by_role("checkbox", name="no bias").check()
    moved = (what_if(sentence, gate=lambda trace: torch.zeros(trace.num_frames)) - what_if(sentence)).abs()
    share = float(moved.sum(-1).mean() / 2)
    explorer.expect(".stages [role=status]").to_contain_text("What if: no bias. The model did not compute this;")
    explorer.expect(".stages [role=status]").to_contain_text(f"Of its attention {100 * share:.0f} % would go elsewhere")
    assert explorer.page.locator(".stages canvas").nth(3).screenshot() != before
    explorer.page.get_by_role("radio", name="paper").check()
    explorer.expect(".stages [role=status]").to_contain_text("no bias")
    explorer.page.get_by_role("button", name="as the model").click()
    explorer.expect(".stages [role=status]").to_have_text("As the model computes it.")
    assert explorer.page.get_by_role("radio", name="fast path").is_checked()
    assert not explorer.page.get_by_role("checkbox", name="no bias").is_checked()
    assert explorer.page.locator(".stages canvas").nth(3).screenshot() == before


def test_one_place_is_marked_at_every_stage(explorer: Explorer, sentence: Trace):
    open_stages(explorer)
    logits = explorer.page.locator(".stages canvas").nth(2)
    box = logits.bounding_box()
    assert box is not None
    frames = sentence.num_frames
    logits.hover(position={"x": (100.5 / frames) * box["width"], "y": (60.5 / frames) * box["width"]})
    viewer = explorer.viewer()
    assert viewer.evaluate("viewer => viewer.store.state.pointed") == {"query": 60, "key": 100}
    terms = sentence.attention_terms(LAYER, HEAD)
    numbers = explorer.page.locator(".stages .numbers")
    explorer.expect(".stages .numbers >> nth=0").not_to_be_empty()
    content, position, logit, weight, _ = numbers.all_text_contents()
    assert number(content) == pytest.approx(float(terms.content[60, 100]), abs=0.01)
    assert number(position.split("=")[1]) == pytest.approx(float(terms.position[60, 100]), abs=0.01)
    assert number(logit) == pytest.approx(float(terms.logits[60, 100]), abs=0.01)
    assert number(weight) == pytest.approx(float(terms.weights[60, 100]), rel=0.02)
    assert f"{terms.gate[60]:.2f} × " in explorer.page.locator(".bias .hint").inner_text()


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_another_head_brings_its_own_stages(explorer: Explorer):
    open_stages(explorer)
    explorer.viewer().evaluate("viewer => viewer.store.set({ head: 1 })")
    explorer.expect(".stages h3").to_have_text(f"Layer {LAYER} · head 1, stage by stage")
    explorer.expect(".stages .hint").to_contain_text("64 of 262 queries checked")


def test_a_trace_under_interventions_shows_what_acted(explorer: Explorer, sentence: Trace, tmp_path: Path):
    off, blind, after = {"layers": LAYER, "heads": HEAD}, {"layers": LAYER, "heads": 1}, LAYER + 1
    interventions: list[Any] = [AttentionWithin(9, **off), GateFixed(0.5, **off), HeadsOff(mean=True, **off)]
    interventions += [AttentionTo(100, **blind), AttentionWithin(30, **blind), LayersSkipped(after)]
    changed = sentence.what_if(interventions)
    explorer.open(f"/?layer={LAYER}&head={HEAD}")
    explorer.upload(changed.save(tmp_path / "changed.trace.safetensors"))
    status = ".stages [role=status]"
    explorer.page.locator(".stages").scroll_into_view_if_needed()
    explorer.expect(status).to_have_text(
        "Under 6 interventions. In this head: no query looks further than 9 frames; its gate is fixed at 0.5; it hands "
        "on the same for every frame, its mean over the clip. Grey logits are minus infinity: barred keys."
    )
    for head in (HEAD, 1):
        (found,) = recompute(explorer, 0, changed.num_frames, {}, head=head)
        logits = changed.attention_terms(LAYER, head).logits[::EVERY]
        np.testing.assert_array_equal(np.isfinite(np.array(found["logits"], float)), logits.isfinite())
        np.testing.assert_allclose(found["weights"], changed.attention(LAYER, head)[0, ::EVERY], atol=5e-4)
        np.testing.assert_allclose(found["output"], changed.context(LAYER)[head, ::EVERY], atol=5e-3)
    explorer.expect(".stages .hint").to_contain_text(
        re.compile(r"logits within \d[.]\d\s·\s10⁻[³⁴⁵⁶⁷] of the model's own, ")
    )
    viewer = explorer.viewer()
    viewer.evaluate("viewer => viewer.store.set({ head: 1, locked: { query: 60, key: 61 } })")
    explorer.expect(".stages .verdict").to_contain_text("s no key here is left: all weights are 0.")
    explorer.expect(".stages .numbers >> nth=2").to_have_text("−∞")
    explorer.expect(".stages .numbers >> nth=3").to_have_text("0.00")
    viewer.evaluate(f"viewer => viewer.store.set({{ layer: {after}, head: 0 }})")
    explorer.expect(status).to_have_text(
        "As the model computes it, of what reaches this layer under 6 interventions. The layer is skipped: this is "
        "what it would have done."
    )


def test_the_gate_s_track_shows_one_head_or_all(explorer: Explorer):
    open_stages(explorer)
    pictures = []
    for _ in range(3):
        explorer.page.wait_for_timeout(100)  # a frame or two
        pictures.append(explorer.page.locator(".track.gate canvas").evaluate("canvas => canvas.toDataURL()"))
        explorer.page.get_by_role("button", name="all heads").click()
    assert pictures[0] == pictures[2] != pictures[1]
