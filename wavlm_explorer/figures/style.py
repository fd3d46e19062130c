"""One visual language: the same colours for the same quantities, in light and dark, on every picture."""

import io
from dataclasses import dataclass
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

LABEL_SIZE = 9.0  # points
TITLE_SIZE = 10.5
PIXELS_PER_INCH = 110  # on screen, before the browser scales
WIDE_INCHES = 7.0  # what is wider a phone cannot show as a whole
READABLE_DPI = 70  # CSS pixels: the smallest letters, of 8 points, are 8 pixels high
LOSSLESS = {"lossless": True, "method": 1, "quality": 20}  # of a WebP: small, in about the time that a PNG takes


@dataclass(frozen=True)
class Palette:
    """Colours of a picture. `weights`, `signed` and `sound` name matplotlib colour maps."""

    background: str
    ink: str
    muted: str
    line: str
    accent: str
    contrast: str
    weights: str = "magma"  # attention weights and gates of a GLU: black is nothing
    signed: str = "RdBu_r"  # content, bias, logits: the middle is zero (or one, for WavLM's gate)
    sound: str = "Greys"
    masked: str = "#d9480f"


LIGHT = Palette(
    background="#ffffff", ink="#1c2130", muted="#6b7280", line="#d5d9e2", accent="#d9480f", contrast="#0b7285"
)
DARK = Palette(
    background="#11141b",
    ink="#e8eaf0",
    muted="#9aa2b1",
    line="#333a48",
    accent="#ff8a5c",
    contrast="#4dd4c0",
    signed="berlin",
    sound="Greys_r",
    masked="#ff8a5c",
)


class Picture(Figure):
    """A matplotlib Figure that a notebook shows as it is; made without pyplot, so nothing global is touched."""

    def __init__(self, width: float, height: float, palette: Palette = LIGHT) -> None:
        super().__init__(figsize=(width, height), dpi=PIXELS_PER_INCH, facecolor=palette.background)

    @property
    def least_pixels(self) -> int:
        """How narrow a page may draw it, in CSS pixels: where there is less room, a wide picture is moved sideways."""
        width = self.get_figwidth()
        return round(READABLE_DPI * width) if width > WIDE_INCHES else 0

    def _repr_png_(self) -> bytes:
        return self.to_bytes("png")

    def to_bytes(self, kind: str, dpi: float = 2 * PIXELS_PER_INCH, compression: int = 6) -> bytes:
        """Return the picture as a "png", "webp" or "svg" file; a PNG's compression goes from 0, fast, to 9, small.

        A WebP loses nothing and is two thirds of the size; what can only be read in a browser is well served by it.
        """
        buffer = io.BytesIO()
        pixels = {"png": {"compress_level": compression}, "webp": LOSSLESS}
        options: dict[str, Any] = {"pil_kwargs": pixels[kind]} if kind in pixels else {}
        self.savefig(buffer, format=kind, dpi=dpi, facecolor=self.get_facecolor(), **options)
        return buffer.getvalue()


def dress(axes: Axes, palette: Palette, title: str = "", x: str = "", y: str = "") -> Axes:
    """Give axes the palette's colours, a title at the left and labels."""
    axes.set_facecolor(palette.background)
    axes.tick_params(colors=palette.muted, labelsize=LABEL_SIZE - 1, length=3, width=0.6)
    for spine in axes.spines.values():
        spine.set(color=palette.line, linewidth=0.8)
    if title:
        axes.set_title(title, loc="left", color=palette.ink, fontsize=TITLE_SIZE, pad=6)
    axes.set_xlabel(x, color=palette.muted, fontsize=LABEL_SIZE)
    axes.set_ylabel(y, color=palette.muted, fontsize=LABEL_SIZE)
    return axes


def add_colour_bar(
    axes: Axes, cmap: str, norm: Normalize, palette: Palette, label: str, horizontal: bool = False
) -> None:
    """Fill `axes` with the colour bar of a map and a scale."""
    orientation = "horizontal" if horizontal else "vertical"
    figure = cast(Figure, axes.figure)
    bar = figure.colorbar(ScalarMappable(norm, cmap), cax=axes, orientation=orientation)
    if horizontal and type(norm) is Normalize:
        bar.locator = MaxNLocator(5)  # numbers side by side need room
    bar.outline.set(edgecolor=palette.line, linewidth=0.8)  # type: ignore[operator]
    axes.tick_params(colors=palette.muted, labelsize=LABEL_SIZE - 1, length=3, width=0.6)
    bar.set_label(label, color=palette.muted, fontsize=LABEL_SIZE)


WEIGHT_SCALES = ("square root", "logarithmic", "linear")
SMALLEST_LOGARITHMIC = 1e-4


def weight_norm(scale: str) -> Normalize:
    """Return the fixed scale of attention weights: up to 1 on every map, so that two maps can be compared.

    Square root makes a weight of 0.01 visible beside one of 0.5; logarithmic, from 0.0001, one of 0.001 too, as a head
    has them that spreads its attention over a long clip; linear neither.

    Raises: ValueError for another scale.
    """
    if scale not in WEIGHT_SCALES:
        raise ValueError(f"scale: expected one of {', '.join(WEIGHT_SCALES)}; found {scale!r}")
    if scale == "logarithmic":
        return LogNorm(SMALLEST_LOGARITHMIC, 1, clip=True)
    return PowerNorm(0.5, 0, 1, clip=True) if scale == "square root" else Normalize(0, 1, clip=True)


def signed_norm(largest: float, centre: float = 0.0) -> Normalize:
    """Return a scale that reaches equally far to both sides of `centre`."""
    reach = largest if largest > 0 else 1.0
    return Normalize(centre - reach, centre + reach)
