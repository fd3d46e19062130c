"""Pages that are no views: tools for checkpoints, guides that lead through the views, workbenches for two sounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..audio import Audio
from ..document import Plate
from ..figures.style import Palette
from ..labels import LabelTrack
from ..tracing import Trace
from ..views import Exhibit
from .markdown import literal
from .model import Selection


@dataclass(frozen=True)
class Tool:
    """A page about checkpoints, not about one trace; `show` draws all of it, with what is chosen in the sidebar."""

    name: str  # in the link
    title: str
    icon: str  # of Material Symbols
    show: Callable[[Selection, Audio | None, Palette], None]
    section: str = "Checkpoints"  # of the navigation


@dataclass(frozen=True)
class Workbench:
    """A page that begins with the trace and the labels of the sidebar's sound; `show` draws all of it."""

    name: str  # in the link
    title: str
    icon: str  # of Material Symbols
    show: Callable[[Trace, Sequence[LabelTrack], Palette], None]
    section: str = ""  # of the navigation; without a name the page stands there by itself


@dataclass(frozen=True)
class Guide:
    """A page about one trace that leads on to views; `show` draws all of it.

    It receives the trace, the palette, and title -> what Streamlit needs to lead to that page.
    """

    name: str  # in the link
    title: str
    icon: str  # of Material Symbols
    show: Callable[[Trace, Palette, Mapping[str, Any]], None]
    section: str = ""  # of the navigation; without a name the page stands there by itself


def hang(plate: Plate, palette: Palette, share: float = 1.0) -> Exhibit:
    """Draw a picture for the page; its caption can name what a stranger has named."""
    return Exhibit(plate.name, plate.draw(palette), literal(plate.caption), plate.arrays, share)
