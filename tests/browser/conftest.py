"""A running server and a real Chromium: missing, the tests are skipped, or fail where REQUIRE_BROWSER is set."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from viewing import Viewer
from visitor import Explorer

import wavlm_explorer as wx
from wavlm_explorer.samples import load_sample

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM:
        message = "no Chromium found (on Debian: apt install chromium)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The page, served as `make run` serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    for _ in range(240):
        assert server.poll() is None, "the server stopped while starting"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("the server did not start within a minute")


@pytest.fixture
def explorer(browser: Browser, address: str) -> Iterator[Explorer]:
    """A fresh visitor."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    explorer = Explorer(context.new_page(), address)
    yield explorer
    context.close()
    assert explorer.outside == [], "the page asked the network for something"
    assert explorer.errors == []


@pytest.fixture
def viewer(explorer: Explorer) -> Viewer:
    """The page as it opens."""
    return Viewer(explorer)


@pytest.fixture(scope="session")
def trace() -> wx.Trace:
    """What the page shows first, traced here."""
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))
