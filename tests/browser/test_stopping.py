"""Stop and start again while a long recording is traced, in a real browser."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from visitor import ALERT, SIDEBAR, Explorer

from wavlm_explorer.audio import Audio

pytestmark = pytest.mark.browser

SECONDS = 240  # nano needs a quarter of a minute for it


def button(explorer: Explorer, name: str) -> Locator:
    """A button of the page itself; its header may have a Stop too."""
    return explorer.page.locator("[data-testid=stMain]").get_by_role("button", name=name)


def test_tracing_is_stopped_and_begins_again_when_it_is_wanted(explorer: Explorer, tmp_path: Path):
    path = tmp_path / "lecture.wav"
    noise = np.random.default_rng(0).standard_normal(16_000 * SECONDS)
    path.write_bytes(Audio((0.1 * noise).astype(np.float32)).to_wav())
    explorer.open(f"/?duration={SECONDS}")
    explorer.page.get_by_role("radio", name="Upload").click()
    explorer.wait()
    explorer.page.locator(".st-key-upload input").set_input_files(path)
    explorer.expect("[data-testid=stMain]").to_contain_text("Tracing lecture.wav")
    button(explorer, "Stop").click()
    explorer.expect(f"[data-testid=stMain] {ALERT}").to_contain_text("Stopped. Choose a shorter part")
    expect(button(explorer, "Stop")).to_have_count(0)
    explorer.expect(".viewer").to_have_count(0)

    button(explorer, "Start again").click()
    button(explorer, "Stop").wait_for()
    field = explorer.page.get_by_role("spinbutton", name="Up to (s)")
    field.fill("1")
    field.press("Enter")  # what runs is given up for what is asked
    explorer.expect(SIDEBAR).to_contain_text("lecture.wav · 0 to 1.00 s")
    assert explorer.trace()["duration"] == pytest.approx(1.0, abs=0.01)
    expect(button(explorer, "Stop")).to_have_count(0)
