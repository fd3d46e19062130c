"""How fast the linked viewer is, beside what a plain Streamlit app does: python benchmarks/viewer.py

Everything is measured in one run, in one headless Chromium with software drawing, on a Base of random weights (time
does not depend on them); docs/viewer.md is written by it.
"""

import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import torch
from playwright.sync_api import Browser, Page, sync_playwright

import wavlm_explorer as wx
from wavlm_explorer.samples import load_sample, sample_names

ROOT = Path(__file__).parents[1]
STOPWATCH = (Path(__file__).parent / "viewer_stopwatch.js").read_text()
RIVALS = "benchmarks/viewer_rivals.py"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
NEW_LAYERS = (9, 3, 0, 11)  # far enough apart that none was fetched as a neighbour of another
VISITS = 3  # of those layers, each with a trace of its own
STEPS = 12
HEAD_CHANGES = 100
DRIFT_SECONDS = 5.0
PATIENCE = 300_000  # ms

Readings = dict[str, list[float]]


def main() -> None:
    """Measure everything and write docs/viewer.md."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        make_files(folder)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        readings: Readings = {}
        with serve(RIVALS) as (address, _):
            readings |= time_rivals(browser, address)
        with serve("app.py", WAVLM_EXPLORER_FOLDERS=str(folder)) as (address, server):
            readings |= time_viewer(browser, address, server, folder)
        text = report(readings, browser.version)
        browser.close()
    (ROOT / "docs" / "viewer.md").write_text(text)
    print(text)


def make_files(folder: Path) -> None:
    """A Base, ten seconds and thirty seconds of the samples."""
    torch.manual_seed(0)
    wx.save_model(wx.WavLM(wx.BASE).eval(), folder / "base.pt")
    speech = np.concatenate([load_sample(name).samples for name in sample_names()] * 2)
    for seconds in (10, 30):
        part = wx.Audio.from_samples(speech[: seconds * 16_000 + 80], 16_000)  # 499 and 1,499 frames
        (folder / f"{seconds}.wav").write_bytes(part.to_wav())


@contextmanager
def serve(script: str, **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run a Streamlit app; yield its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, *options], cwd=ROOT, env=os.environ | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        while not _is_healthy(address):
            time.sleep(0.25)
        yield address, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(10)


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
            return True
    except OSError:
        return False


def open_page(browser: Browser, address: str) -> Page:
    """A fresh visitor, with the stopwatch at hand."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(STOPWATCH)
    page.goto(address)
    return page


def read(page: Page, start: str, act: Callable[[], object]) -> float:
    """Start a clock that waits for an event, cause the event, and return the clock's reading in ms."""
    page.evaluate(start)
    act()
    return page.evaluate("reading")


def time_rivals(browser: Browser, address: str) -> Readings:
    """A step of a slider until the next picture is there."""
    readings = {}
    for frames, heads in ((499, 1), (499, 12), (1499, 1), (64, 144)):
        for way in ("pyplot", "png"):
            page = open_page(browser, f"{address}/?way={way}&frames={frames}&heads={heads}")
            readings[f"{way} {frames} x {heads}"] = time_slider(page, STEPS if heads == 1 else 4)
            page.context.close()
    return readings


def time_slider(page: Page, steps: int) -> list[float]:
    """Press forth and back, so often."""
    page.wait_for_selector("[data-testid=stImage] img")
    page.wait_for_timeout(1000)
    slider = page.locator("[data-testid=stSlider] input[type=range]")
    keys = ("ArrowRight", "ArrowLeft") * (steps // 2)
    return [read(page, "stopwatch.image()", lambda key=key: slider.press(key)) for key in keys]


def time_viewer(browser: Browser, address: str, server: psutil.Process, folder: Path) -> Readings:
    """All that the viewer is measured by, ten seconds first."""
    visits = [time_visit(browser, address, folder / "10.wav") for _ in range(VISITS)]
    readings: Readings = {name: [reading for visit in visits for reading in visit[name]] for name in visits[0]}
    page = open_viewer(browser, address, folder / "10.wav")
    page.wait_for_function("stopwatch.atlas() !== null")
    readings["bytes"] = [page.evaluate("stopwatch.bytes('layer', {layer: 5})")]
    readings["hover"] = time_hover(page)
    readings["head"] = time_heads(page)
    readings |= weigh(page, server)
    readings["drift"] = page.evaluate(f"stopwatch.drift({DRIFT_SECONDS})")
    page.context.close()
    page = open_viewer(browser, address, folder / "30.wav")
    page.wait_for_timeout(3000)
    found = [page.evaluate(f"stopwatch.longHead({head})") for head in range(1, 11)]
    readings["long first"], readings["long whole"] = ([one[name] for one in found] for name in ("first", "whole"))
    page.context.close()
    return readings


def time_visit(browser: Browser, address: str, sound: Path) -> Readings:
    """With a trace of its own: the atlas, and layers that were never fetched."""
    page = open_viewer(browser, address, sound)
    page.wait_for_function("stopwatch.atlas() !== null")
    readings: Readings = {"atlas": [page.evaluate("stopwatch.atlas()")], "layer": []}
    for layer in NEW_LAYERS:
        page.wait_for_timeout(1500)  # until the neighbours of the last one have come
        readings["layer"].append(page.evaluate(f"stopwatch.layer({layer})"))
    page.context.close()
    return readings


def open_viewer(browser: Browser, address: str, sound: Path) -> Page:
    """The page with that sound, traced through the Base, its layer 6 drawn."""
    page = open_page(browser, f"{address}/?model=on+this+server&model_file=base.pt&layer=6")
    page.get_by_role("radio", name="Upload").click()
    page.locator(".st-key-upload input").set_input_files(sound)
    page.locator("[data-testid=stSidebar]").get_by_text(f"{sound.name} ·").wait_for()
    page.locator(".viewer canvas.picture[aria-label^='Attention of layer 6']").wait_for()
    page.locator(".viewer .map").scroll_into_view_if_needed()
    page.locator(".viewer .main").focus()
    return page


def time_hover(page: Page) -> list[float]:
    """Move over the map, a few frames at a time."""
    box = page.locator(".viewer canvas.picture").bounding_box()
    assert box is not None
    places = [(box["x"] + 200 + 9 * step, box["y"] + 40 + 7 * step) for step in range(40)]
    page.mouse.move(*places[0])
    page.wait_for_timeout(200)
    return [read(page, "stopwatch.hover()", lambda place=place: page.mouse.move(*place)) for place in places[1:]]


def time_heads(page: Page) -> list[float]:
    """Step to the next head by the keyboard, to the last and back to the first."""
    main = page.locator(".viewer .main")
    last = wx.BASE.encoder_attention_heads - 1
    steps = [(head, "Alt+ArrowRight") for head in range(1, last + 1)]
    steps += [(head, "Alt+ArrowLeft") for head in range(last - 1, -1, -1)]
    return [read(page, f"stopwatch.head({head})", lambda key=key: main.press(key)) for head, key in steps]


def weigh(page: Page, server: psutil.Process) -> Readings:
    """Memory of page and server before and after a hundred changes of the head, in MB."""
    session = page.context.new_cdp_session(page)

    def change_heads(times: int) -> None:
        for step in range(times):
            page.keyboard.press("Alt+ArrowRight" if step // 11 % 2 == 0 else "Alt+ArrowLeft")
            page.wait_for_timeout(400 if step % 10 == 9 else 40)  # now and then the server is told where one is

    def now() -> tuple[float, float]:
        page.wait_for_timeout(1000)
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6, server.memory_info().rss / 1e6

    change_heads(22)
    before = now()
    change_heads(HEAD_CHANGES)
    after = now()
    return {"browser MB": [before[0], after[0]], "server MB": [before[1], after[1]]}


def report(readings: Readings, browser: str) -> str:
    """What docs/viewer.md says."""
    median = {name: statistics.median(values) for name, values in readings.items()}
    drift = np.array(readings["drift"])

    def against(size: str) -> str:
        return f"st.pyplot {median[f'pyplot {size}']:,.0f}, PNG {median[f'png {size}']:,.0f}"

    hover = f"{median['hover']:.1f} (95 % within {np.percentile(readings['hover'], 95):.1f})"
    long = f"{median['long whole']:.0f}; {median['long first']:.0f} to the pooled picture"
    atlas = f"144 axes: st.pyplot {median['pyplot 64 x 144']:,.0f}, PNG {median['png 64 x 144']:,.0f}"
    size = f"{median['bytes'] / 1e6:.2f} MB"
    rows = [
        ("another head, its layer on the page", against("499 x 1"), f"{median['head']:.0f}", "33"),
        ("another layer, all 12 heads, 499 frames", against("499 x 12"), f"{median['layer']:.0f}", "130"),
        ("another head, 1,499 frames", against("1499 x 1"), long, "150"),
        ("pointing at a frame, until its curve is drawn", "no other draws it", hover, "17"),
        ("all 144 heads at a glance", atlas, f"{median['atlas']:,.0f}", "600"),
        ("bytes of one layer, 499 frames", "as JSON, 23 bytes a number: 69 MB", size, "3.2 MB"),
    ]
    table = "\n".join(f"| {what} | {rivals} | **{ours}** | {target} |" for what, rivals, ours, target in rows)
    return f"""# How fast the viewer is

Medians in milliseconds, of one run of `python benchmarks/viewer.py`
in headless Chromium {browser} with software drawing, {machine()},
through a Base (12 layers, 12 heads). A time begins with the key or the call that asks and ends with
the first animation frame that begins with the new picture in place; pointing ends when all is drawn, within its frame.
The atlas's time begins with the viewer's first question; the server has computed part of it by then, since the trace
was there.
The others are the smallest Streamlit app that draws the same maps with matplotlib, at each step of a slider.

| | others | the viewer | aim |
|---|---|---|---|
{table}

* Playhead: the line that a frame is about to replace lies {np.median(drift):.0f} ms behind the sound (95 % within
  {np.percentile(drift, 95):.0f}, at most {drift.max():.0f}), over {len(drift)} frames; the aim is 30.
* Memory over {HEAD_CHANGES} changes of the head: {_growth(readings, "browser MB")} for the page's heap,
  {_growth(readings, "server MB")} for the server; the aim is at most +10 %.
"""


def _growth(readings: Readings, name: str) -> str:
    before, after = readings[name]
    return f"{after / before - 1:+.1%} of {before:,.0f} MB"


def machine() -> str:
    """The processor, and what it was doing besides."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"on {os.cpu_count()} cores of {name} (load {os.getloadavg()[0]:.1f} when it ended)"


if __name__ == "__main__":
    main()
