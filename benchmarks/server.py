"""The page's server, started as `make run` starts it, and a Chromium that has never been there."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
START_SECONDS = 120.0
PICTURE = "[data-testid=stImage] img, canvas.picture[aria-label^='Attention of']"  # an attention map, drawn
IS_DRAWN = "element => !(element instanceof HTMLImageElement) || (element.complete && element.naturalWidth > 0)"
PATIENCE = 120_000  # ms


class Server(NamedTuple):
    """A server that answers."""

    address: str
    process: psutil.Process

    def memory(self) -> int:
        """Resident bytes of the server and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start the server, wait until it answers, stop it at the end.

    Raises: TimeoutError.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    try:
        _wait(server.address)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str) -> None:
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"the server did not answer within {START_SECONDS:.0f} s")


@contextmanager
def cold_browser() -> Iterator[Browser]:
    """Start a Chromium with nothing in its cache.

    Raises: FileNotFoundError where there is none.
    """
    program = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    if program is None:
        raise FileNotFoundError("no Chromium found (on Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def new_visitor(browser: Browser, address: str) -> Page:
    """Open the page as somebody new and wait until an attention map is drawn."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    wait_for_picture(page)
    return page


def wait_for_picture(page: Page) -> None:
    """Wait until the first picture on the page is drawn."""
    picture = page.locator(PICTURE).first
    picture.wait_for()
    page.wait_for_function(IS_DRAWN, arg=picture.element_handle())
