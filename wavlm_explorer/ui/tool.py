"""Pages that are more than a view of one trace: about checkpoints (the doctor, the comparison), or about two sounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    """A page about checkpoints; `show` draws all of it, with whatever is chosen in the sidebar."""

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
    section: str = ""  # of the navigation


def hang(plate: Plate, palette: Palette, share: float = 1.0) -> Exhibit:
    """Draw a picture for the page; its caption can name what a stranger has named."""
    return Exhibit(plate.name, plate.draw(palette), literal(plate.caption), plate.arrays, share)
