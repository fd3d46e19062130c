"""A page for reading: text, tables and pictures in one HTML file that needs nothing beside it."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple, Protocol

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from .figures.style import DARK, LIGHT, Palette, Picture
from .typesetting import set_code, set_equation

SHARP_DPI = 165  # for a fine screen at the width of the page
PIXELS_PER_INCH = 86  # the widest pictures fill the page, and the letters on all are of one size

Draw = Callable[[Palette], Picture]


class Plate(NamedTuple):
    """A picture before it is drawn, which a page on paper and one on a screen have in common."""

    name: str  # a file's name, without an ending
    draw: Draw
    caption: str
    arrays: Callable[[], Mapping[str, np.ndarray]]  # its numbers, made when somebody asks for them


class Finding(Protocol):
    """What `add_findings` shows; the doctor's findings are such."""

    @property
    def severity(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def found(self) -> str: ...
    @property
    def advice(self) -> str: ...


@dataclass
class Document:
    """A title, a lead sentence, and what is added to it, in that order.

    All text is taken for what a stranger wrote: it is shown as it is and never becomes markup, but for what
    `typesetting` has set. In texts, `code` between backticks is set as code and an empty line begins a new paragraph.
    """

    title: str
    lead: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)

    def add_contents(self) -> None:
        """Add links to all sections of level 2."""
        self.blocks.append({"kind": "contents"})

    def add_heading(self, text: str, level: int = 2) -> None:
        """Begin a section; level 2 or 3."""
        self.blocks.append({"kind": "heading", "text": text, "level": level, "anchor": f"part-{len(self.blocks)}"})

    def add_text(self, text: str) -> None:
        """Add paragraphs."""
        paragraphs = [text] if isinstance(text, Markup) else [set_code(part) for part in text.split("\n\n")]
        self.blocks.append({"kind": "text", "paragraphs": paragraphs})

    def add_facts(self, facts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add a short table of names and what they are."""
        pairs = facts.items() if isinstance(facts, Mapping) else facts
        self.blocks.append({"kind": "facts", "pairs": [(str(name), str(value)) for name, value in pairs]})

    def add_table(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "", fold: str = ""
    ) -> None:
        """Add a table; numbers stand at the right. `fold`: the words behind which a long one is folded away."""
        cells = [[(str(cell), isinstance(cell, int | float)) for cell in row] for row in rows]
        self.blocks.append({"kind": "table", "columns": list(columns), "rows": cells, "caption": caption, "fold": fold})

    def add_equation(self, latex: str, symbols: Iterable[tuple[str, str]] = ()) -> None:
        """Add an equation, and what each of its symbols (LaTeX too) means."""
        meanings = [(set_equation(symbol), meaning) for symbol, meaning in symbols]
        self.blocks.append({"kind": "equation", "equation": set_equation(latex, "block"), "symbols": meanings})

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Add findings, each a coloured block: what was found where, and what to do."""
        self.blocks.append({"kind": "findings", "findings": list(findings)})

    def add_picture(self, draw: Draw, caption: str) -> None:
        """Add a picture; `draw` is called with both palettes, and the reader's screen chooses one."""
        pictures = [draw(palette) for palette in (LIGHT, DARK)]
        light, dark = map(_data_link, pictures)
        width = round(PIXELS_PER_INCH * pictures[0].get_figwidth())
        spoken = caption.striptags() if isinstance(caption, Markup) else caption
        size = {"width": width, "least": pictures[0].least_pixels}
        self.blocks.append(
            {"kind": "picture", "light": light, "dark": dark, "caption": caption, "spoken": spoken, **size}
        )

    def to_html(self) -> str:
        """Return the page as one file: styles and pictures inside, no script, nothing fetched."""
        template = (resources.files("wavlm_explorer") / "assets" / "document.html").read_text("utf-8")
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(template).render(title=self.title, lead=self.lead, blocks=self.blocks)


def _data_link(picture: Picture) -> str:
    return "data:image/webp;base64," + base64.b64encode(picture.to_bytes("webp", SHARP_DPI)).decode("ascii")
