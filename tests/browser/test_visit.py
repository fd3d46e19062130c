"""A visit in a real browser: real uploads in real formats, all pages, links, downloads, light and dark."""

import io
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from payload import Payload
from visitor import ALERT, HEADING, MAP, PICTURE, SIDEBAR, Explorer

from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import VIEWS

pytestmark = pytest.mark.browser

ENCODERS = {"m4a": ("mp4", "aac"), "flac": ("flac", "flac"), "opus": ("ogg", "libopus"), "mp3": ("mp3", "mp3")}


def encode(ending: str, seconds: float = 2.0, rate: int = 48_000) -> bytes:
    """Speech in a format of the world."""
    container_format, codec = ENCODERS[ending]
    samples = load_sample("sentence").samples[: int(seconds * 16_000)].repeat(rate // 16_000)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        pcm = (samples * 30_000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


PICTURES = "Pictures and numbers to keep"


def test_the_first_picture_is_there_without_a_click(explorer: Explorer):
    explorer.open()
    explorer.expect(f"{MAP}[aria-label^='Attention of layer 3, head 0']").to_be_visible()
    explorer.expect(HEADING).to_have_text(VIEWS[0].title)
    explorer.expect(ALERT).to_have_count(0)


@pytest.mark.parametrize("ending", list(ENCODERS))
def test_an_upload_is_seen(explorer: Explorer, tmp_path: Path, ending: str):
    path = tmp_path / f"my voice.{ending}"
    path.write_bytes(encode(ending))
    explorer.open()
    sample = explorer.trace()["arrays"]
    explorer.upload(path)
    explorer.expect(SIDEBAR).to_contain_text(f"my voice.{ending} · 0 to 2.0")
    explorer.wait()
    shown = explorer.trace()
    assert shown["arrays"] != sample
    assert shown["duration"] == pytest.approx(2.0, abs=0.05)


def test_an_upload_is_seen_on_every_page(explorer: Explorer, tmp_path: Path):
    path = tmp_path / "my voice.m4a"
    path.write_bytes(encode("m4a"))
    explorer.open()
    explorer.upload(path)
    for view in VIEWS[1:]:
        explorer.follow(view.title, view.section)
        explorer.expect(f"{PICTURE}, {MAP}[aria-label], .lens canvas").not_to_have_count(0)
        explorer.expect("[data-testid=stException]").to_have_count(0)
        explorer.expect(SIDEBAR).to_contain_text("my voice.m4a")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_has_an_address_of_its_own(explorer: Explorer, view):
    explorer.open(f"/{view.name}")
    explorer.expect(HEADING).to_have_text(view.title)
    explorer.expect("[role=dialog]").to_have_count(0)


def test_the_link_carries_the_state(explorer: Explorer):
    explorer.open("/buckets?sample=Two+voices&layer=1&head=3")
    pictures = explorer.pictures()
    explorer.expect(HEADING).to_have_text(VIEWS[1].title)
    slider = explorer.page.get_by_role("slider", name="Head")
    assert slider.get_attribute("aria-valuenow") == "3" or slider.input_value() == "3"
    slider.press("ArrowRight")
    explorer.page.wait_for_function("location.search.includes('head=4')")
    explorer.wait()
    assert "sample=Two" in explorer.page.url
    assert explorer.pictures() != pictures


def test_choices_stay_in_the_link_from_page_to_page(explorer: Explorer):
    explorer.open("/?layer=4&head=5")
    for title, section in (("GLU", "Laboratories"), ("Quant noise", "Laboratories"), ("Attention", "")):
        explorer.follow(title, section)
        assert "layer=4" in explorer.page.url
        assert ("head=5" in explorer.page.url) == (title != "GLU")


def test_a_wrong_file_is_explained_and_the_page_goes_on(explorer: Explorer, tmp_path: Path):
    explorer.open()
    mark = tmp_path / "executed"
    wrong = tmp_path / "model.wav"
    wrong.write_bytes(pickle.dumps(Payload(mark)))
    explorer.upload(wrong)
    explorer.expect(ALERT).to_contain_text("expected a sound file")
    assert not mark.exists()
    explorer.expect(MAP).to_be_visible()
    explorer.page.get_by_role("radio", name="Sample").click()
    explorer.expect(ALERT).to_have_count(0)
    explorer.expect(MAP).to_be_visible()


@pytest.mark.parametrize("ending", ["png", "svg", "npz"])
def test_every_picture_can_be_saved(explorer: Explorer, ending: str):
    explorer.open()
    explorer.open_section(PICTURES)
    explorer.expect(PICTURE).to_have_count(4)
    explorer.page.locator("[data-testid=stMain] [data-testid=stPopover] button").first.click()
    label = {"png": "Picture (PNG)", "svg": "Picture (SVG)", "npz": "Numbers (NPZ)"}[ending]
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name=label).click()
    saved = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename == f"attention_map.{ending}"
    if ending == "npz":
        weights = np.load(io.BytesIO(saved))["weights"]
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    else:
        assert saved.startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_pictures_follow_the_page_s_theme(browser, address: str):
    corners = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        explorer = Explorer(context.new_page(), address)
        explorer.open("/glu")
        explorer.expect(PICTURE).not_to_have_count(0)
        explorer.wait()
        corners[scheme] = explorer.page.evaluate(
            """() => { const image = document.querySelector("[data-testid=stImage] img");
                const canvas = document.createElement("canvas").getContext("2d");
                canvas.drawImage(image, 0, 0); return canvas.getImageData(2, 2, 1, 1).data[0]; }"""
        )
        context.close()
    assert corners["light"] > 200 > 60 > corners["dark"]


def test_two_visitors_never_see_each_other_s_sound(browser, address: str, tmp_path: Path):
    paths = []
    for name, seconds in (("first", 1.0), ("second", 2.0)):
        paths.append(tmp_path / f"{name}.flac")
        paths[-1].write_bytes(encode("flac", seconds))
    visitors = [Explorer(browser.new_context().new_page(), address) for _ in paths]
    for visitor in visitors:
        visitor.open()
    for visitor, path in zip(visitors, paths, strict=True):
        visitor.upload(path)
    for visitor, path in zip(visitors, paths, strict=True):
        for other in paths:
            expected = visitor.expect(SIDEBAR)
            expected.to_contain_text(other.name) if other is path else expected.not_to_contain_text(other.name)
    shown = [visitor.trace() for visitor in visitors]
    assert [round(trace["duration"]) for trace in shown] == [1, 2]
    assert shown[0]["arrays"] != shown[1]["arrays"]
    for visitor in visitors:
        visitor.page.context.close()
