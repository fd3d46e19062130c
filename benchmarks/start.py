"""How soon there is something to see, and what a visitor who has seen it costs."""

import io
import subprocess
import sys
import time
import wave
from collections.abc import Mapping
from statistics import median

import numpy as np
from playwright.sync_api import Browser, FilePayload

from .server import PICTURE, ROOT, Server, cold_browser, new_visitor, running_server, wait_for_picture
from .timing import make_clip

IMPORTS = {  # what is timed -> the statement
    "import torch": "import torch",
    "import wavlm_explorer": "import wavlm_explorer",
    "import what loads and traces": "from wavlm_explorer import load_audio, load_model, trace",
}
FIRST_PICTURE = "server and browser started: first attention map"
NEXT_VISITOR = "another visitor: first attention map"
UPLOAD = "10 s of sound uploaded: first attention map"
IDLE_SERVER = "server with one visitor"
IDLE_SESSION = "each further idle visitor"
UPLOADED_SECONDS = 10.0
MORE_VISITORS = 5


def measure_start(rounds: int) -> dict[str, Mapping[str, float]]:
    """What is timed -> median seconds of the rounds, and what is weighed -> bytes."""
    seconds = {name: median(times) for name, times in time_imports(rounds).items()}
    starts, visits, uploads = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        with running_server() as server, cold_browser() as browser:
            new_visitor(browser, server.address)
            starts.append(time.perf_counter() - start)
            visits.append(_time_visit(browser, server))
            uploads.append(_time_upload(browser, server))
    seconds |= {FIRST_PICTURE: median(starts), NEXT_VISITOR: median(visits), UPLOAD: median(uploads)}
    return {"seconds": seconds, "bytes": weigh_sessions()}


def time_imports(rounds: int) -> dict[str, list[float]]:
    """Seconds that each import takes in an interpreter of its own, in turns."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            program = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
            result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
            times[name].append(float(result.stdout))
    return times


def _time_visit(browser: Browser, server: Server) -> float:
    start = time.perf_counter()
    new_visitor(browser, server.address)
    return time.perf_counter() - start


def _time_upload(browser: Browser, server: Server) -> float:
    page = new_visitor(browser, server.address)
    page.get_by_role("radio", name="Upload").click()
    page.locator(PICTURE).first.wait_for(state="detached")
    recording: FilePayload = {"name": "clip.wav", "mimeType": "audio/wav", "buffer": wav(make_clip(UPLOADED_SECONDS))}
    start = time.perf_counter()
    page.locator(".st-key-upload input").set_input_files(recording)
    wait_for_picture(page)
    return time.perf_counter() - start


def weigh_sessions() -> dict[str, int]:
    """Bytes of the server behind one visitor, and of each further one who sees the same picture and rests."""
    with running_server() as server, cold_browser() as browser:
        new_visitor(browser, server.address)
        one = _settled_memory(server)
        for _ in range(MORE_VISITORS):
            new_visitor(browser, server.address)
        return {IDLE_SERVER: one, IDLE_SESSION: (_settled_memory(server) - one) // MORE_VISITORS}


def _settled_memory(server: Server) -> int:
    time.sleep(3)  # s, until the page has fetched what it fetches after its first picture
    return server.memory()


def wav(samples: np.ndarray) -> bytes:
    """A clip as a file of 16-bit samples, a tenth of full scale loud."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes((samples * 0.1 * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return file.getvalue()
