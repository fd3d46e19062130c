"""The page without a browser, and what tests look at on it."""

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

APP = str(Path(__file__).parents[1] / "wavlm_explorer" / "ui" / "__main__.py")


def open_page(page: str = "", **link: str | list[str]) -> AppTest:
    """Open a page as its link says."""
    app = AppTest.from_file(APP, default_timeout=180)
    for name, value in link.items():
        app.query_params[name] = value
    return go_to(app, page).run() if page else app.run()


def go_to(app: AppTest, page: str) -> AppTest:
    """Follow a link to a page; AppTest itself only knows pages that are files."""
    app._page_hash = calc_hash(page)
    return app


def choose(app: AppTest, kind: str) -> AppTest:
    """Go to the samples, to an upload or to the microphone."""
    return app.segmented_control(key="sound").set_value(kind).run()


def wav(seconds: float = 1.0, rate: int = 16_000) -> bytes:
    """A tone as a file."""
    buffer = io.BytesIO()
    times = np.arange(int(seconds * rate)) / rate
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(2 * np.pi * 220 * times)).astype("<i2").tobytes())
    return buffer.getvalue()


def viewer(app: AppTest) -> Any:
    """What the viewer is given; None where there is no viewer."""
    components = [component.proto for component in app.get("bidi_component")]
    data = [json.loads(proto.json) for proto in components if proto.component_name == "wavlm_explorer_viewer"]
    return data[0] if data else None


def errors(app: AppTest) -> list[str]:
    """What the page says is wrong."""
    return [element.value for element in app.error]


def pictures(app: AppTest) -> int:
    """How many pictures are drawn."""
    return len(app.get("image"))
