"""A trace saved on the page opens on the page, a report without any: in a real browser, through real files."""

import json
import zipfile
from pathlib import Path

import pytest
from visitor import PICTURE, SIDEBAR, Explorer

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
    explorer.expect(PICTURE).to_have_count(8)
    explorer.expect("[data-testid=stException]").to_have_count(0)
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name="All pictures and numbers").click()
    assert download.value.suggested_filename == "quant-noise.zip"
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 3 * 8 + 1


def test_a_report_opens_without_network_for_light_and_for_dark(explorer: Explorer, tmp_path: Path):
    explorer.open("/?sample=A+pause&layer=2&head=1&locked=57-60")
    explorer.viewer()
    for title in ("Attention from label to label", "Pictures and numbers to keep"):
        explorer.open_section(title)
    explorer.expect(PICTURE).to_have_count(5)
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name="Report (HTML)").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "attention.html"
    browser = explorer.page.context.browser
    assert browser is not None
    shown, asked = {}, []
    for scheme in ("light", "dark"):
        with browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 400, "height": 800}) as context:
            page = context.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: asked.append(str(error)))
            page.goto(path.as_uri())
            pictures = page.evaluate("[...document.images].map(image => [image.currentSrc, image.naturalWidth])")
            shown[scheme] = [source for source, _ in pictures]
            assert len(pictures) == 5
            assert all(width > 500 for _, width in pictures)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
            widths = "all => all.map(one => [one.clientWidth <= 400, one.scrollWidth >= 800])"
            assert page.locator(".wide").evaluate_all(widths) == [[True, True]] * 2
            assert "Frame 57, at 1.15 s, looks most" in page.inner_text("main")
            page.get_by_text("All 36 heads in numbers").click()
            assert page.locator("tbody tr:visible").count() == 36
    assert all(light != dark for light, dark in zip(shown["light"], shown["dark"], strict=True))
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
