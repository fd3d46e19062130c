"""A trace saved on the page opens on the page: in a real browser, through real files."""

import json
import zipfile
from pathlib import Path

import pytest
from visitor import ALERT, PICTURE, SIDEBAR, Explorer

import wavlm_explorer as wx

pytestmark = pytest.mark.browser

FACTS = ("layers", "heads", "frames", "start", "duration")


def test_a_saved_trace_is_opened_by_somebody_else(explorer: Explorer, tmp_path: Path):
    explorer.open("/?sample=A+pause&layer=2")
    here = explorer.trace()
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name="Save this trace").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "pause.trace.safetensors"
    assert wx.load_trace(path).num_frames == here["frames"]

    explorer.open()
    explorer.upload(path)
    explorer.expect(SIDEBAR).to_contain_text("It came with the trace")
    explorer.expect(SIDEBAR).to_contain_text("nano · 6 layers")
    there = explorer.trace()
    assert json.dumps([there[name] for name in FACTS]) == json.dumps([here[name] for name in FACTS])
    assert there["arrays"] != here["arrays"]
    explorer.follow("Quant noise", "Laboratories")
    explorer.expect(PICTURE).to_have_count(5)
    explorer.expect(ALERT).to_have_count(0)
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name="All pictures and numbers").click()
    assert download.value.suggested_filename == "quant-noise.zip"
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 3 * 5 + 1
