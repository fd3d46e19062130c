"""Make the pictures of the README: the real page, in a real Chromium. Run with `make pictures`."""

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PORT = 8599
SHOTS = {  # file -> (page and state, colour scheme, width, height, what is at the top)
    "attention.png": ("?layer=3&head=1&locked=52-64", "dark", 1440, 1080, ".viewer .instrument"),
    "buckets.png": (
        "buckets?sample=A+sentence&head=4&bucket_rows=32&bucket_reach=128", "light", 1440, 1420,
        "[data-testid=stMain] h1",
    ),
    "what-if.png": (
        "what-if?sample=A+sentence&what_if=position+off&where=all&shown_layer=3&shown_head=1&side=difference"
        "&locked=52-64", "dark", 1440, 1080, ".viewer .instrument",
    ),
    "cloze.png": (
        "cloze?sample=A+sentence&hidden_from=200&hidden_frames=4&layer=4&head=2", "light", 1440, 1000, ".viewer.cloze",
    ),
}  # fmt: skip
SCROLL = "element => { element.style.scrollMarginTop = '64px'; element.scrollIntoView(); }"  # below the navigation
DONE = "document.querySelector('.stApp').getAttribute('data-test-script-state') === 'notRunning'"


def main() -> None:
    """Start the app, take every picture, stop the app."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={PORT}", "--server.headless=true"]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        while not _is_healthy():
            time.sleep(0.5)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, (state, scheme, width, height, top) in SHOTS.items():
                size = {"width": width, "height": height}
                page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
                page.goto(f"http://127.0.0.1:{PORT}/{state}")
                page.wait_for_selector(top, timeout=60_000)
                page.wait_for_timeout(2000)
                page.wait_for_function(DONE)
                page.locator(top).evaluate(SCROLL)
                page.wait_for_timeout(1000)
                page.screenshot(path=ROOT / "docs" / "pictures" / name)
    finally:
        server.terminate()


def _is_healthy() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
