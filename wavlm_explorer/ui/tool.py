"""A page about checkpoints, not about one trace: the doctor, the comparison."""

from collections.abc import Callable
from dataclasses import dataclass

from ..audio import Audio
from ..document import Plate
from ..figures.style import Palette
from ..views import Exhibit
from .markdown import literal
from .model import Selection


@dataclass(frozen=True)
class Tool:
    """Such a page; `show` draws all of it, with whatever is chosen in the sidebar."""

    name: str  # in the link
    title: str
    icon: str  # of Material Symbols
    show: Callable[[Selection, Audio | None, Palette], None]
    section: str = "Checkpoints"  # of the navigation


def hang(plate: Plate, palette: Palette, share: float = 1.0) -> Exhibit:
    """Draw a picture for the page; its caption can name what a stranger has named."""
    return Exhibit(plate.name, plate.draw(palette), literal(plate.caption), plate.arrays, share)
