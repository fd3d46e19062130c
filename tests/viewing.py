"""The viewer as its visitor uses it, in a real browser."""

from typing import Any

import numpy as np
from playwright.sync_api import Locator
from visitor import Explorer

WAITED = "root => root.store?.state.weights?.layer === root.store?.state.layer && root.store?.state.sound"
WEIGHTS = "root => { const { values, size, from } = root.store.state.weights; return [[...values], size, from]; }"


class Viewer:
    """The viewer as its visitor uses it, and what it holds."""

    def __init__(self, explorer: Explorer, link: str | None = "/") -> None:
        """Open the page as a link says; None: it is open."""
        self.explorer, self.page = explorer, explorer.page
        if link is not None:
            explorer.open(link)
        self.root = self.page.locator(".viewer")
        self.wait(WAITED)

    def wait(self, condition: str) -> None:
        """Wait until a function of the viewer's root element, in JavaScript, gives true."""
        handle = self.root.element_handle()
        self.page.wait_for_function(condition, arg=handle)

    def state(self, name: str) -> Any:
        return self.root.evaluate(f"root => root.store.state.{name}")

    def find(self, selector: str) -> Locator:
        return self.root.locator(selector)

    def at(self, query: float, key: float) -> tuple[float, float]:
        """Where on the screen the map shows these shares of what is shown."""
        self.find(".map-over").scroll_into_view_if_needed()
        box = self.find(".map-over").bounding_box()
        assert box is not None
        return box["x"] + key * box["width"], box["y"] + query * box["height"]

    def point(self, query: float, key: float) -> dict[str, int]:
        self.page.mouse.move(*self.at(query, key))
        self.wait("root => root.store.state.pointed !== null")
        return self.state("pointed")

    def drag(self, query: float, key: float, to_query: float, to_key: float) -> None:
        self.page.mouse.move(*self.at(query, key))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(to_query, to_key), steps=3)
        self.page.mouse.up()

    def weights(self) -> np.ndarray:
        values, size, _ = self.root.evaluate(WEIGHTS)
        return np.array(values, np.float32).reshape(size, size)
