"""The viewer in a real browser, of models that lack what WavLM has: no gate, or no position bias at all."""

from pathlib import Path

import numpy as np
import pytest
from models import VARIANTS, make_model
from playwright.sync_api import expect
from viewing import Viewer
from visitor import SIDEBAR, Explorer

import wavlm_explorer as wx
from wavlm_explorer.checkpoints import save_model
from wavlm_explorer.samples import load_sample

pytestmark = pytest.mark.browser

LAYER, HEAD = 1, 0  # where the page opens for three layers


@pytest.mark.parametrize(
    ("kind", "said", "has_bias"),
    [("no gate", "It has no gate: the bias counts as the table has it", True),
     ("no positions", "It has no position bias: content alone decides", False)],
)  # fmt: skip
def test_what_a_model_lacks_is_said_and_the_rest_works(
    explorer: Explorer, tmp_path: Path, kind: str, said: str, has_bias: bool
):
    path = save_model(make_model(VARIANTS[kind]), tmp_path / "lacking.pt")
    explorer.open("/?model=your+checkpoint&sample=A+pause")
    explorer.page.locator(".st-key-checkpoint input").set_input_files(path)
    explorer.expect(SIDEBAR).to_contain_text("lacking.pt · 3 layers")
    explorer.viewer()
    viewer = Viewer(explorer, None)
    assert [viewer.state(f"trace.{name}") for name in ("has_bias", "has_gate")] == [has_bias, False]
    weights = wx.trace(wx.load_model(path), load_sample("pause")).attention(LAYER, HEAD)[0].numpy()
    assert np.abs(viewer.weights() - weights).max() <= weights.max() / 255
    viewer.find(".stages").scroll_into_view_if_needed()
    expect(viewer.find(".stages")).to_contain_text(said)
    expect(viewer.find("input[name=gate]").first).to_be_disabled()
    expect(viewer.find("input[name=bias]")).to_be_enabled(enabled=has_bias)
