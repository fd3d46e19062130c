"""A picture of attention between labels: phones that look at phones, words at words."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ..pooling import LabelAttention
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm

MAX_NAMES = 64  # along an axis; of more, some go without
MAX_NUMBERED = 18  # labels; the cells of so few have room for their numbers
MAX_NAME_LENGTH = 12  # characters
UNITS = {"share": (100, "numbers are percent"), "mean": (1000, "numbers are thousandths")}
MEANINGS = {
    "share": "share of the query label's attention ({} scale)",
    "mean": "mean weight of a pair of frames (linear, up to the largest)",
}


def label_map(
    pooled: LabelAttention,
    pooling: str = "share",
    title: str = "",
    scale: str = "square root",
    palette: Palette = LIGHT,
) -> Picture:
    """Attention from label (down) to label (across), of the first head that `pool_attention` returned.

    pooling: "share" says which part of a label's attention each label gets: rows sum to one, and long labels get more.
    "mean" is the mean weight of a frame on a frame, for which length does not count; so small are they that the picture
    reaches to the largest, not to 1.

    Raises: ValueError for another pooling or scale.
    """
    if pooling not in MEANINGS:
        raise ValueError(f"pooling: expected one of {', '.join(MEANINGS)}; found {pooling!r}")
    values: np.ndarray = getattr(pooled, pooling)[0].numpy()
    names = [name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…" for name in pooled.labels]
    margin = 0.085 + 0.011 * max(map(len, names))
    figure = Picture(7.0, 6.7, palette)
    axes = figure.add_axes((margin, margin, 0.87 - margin, 0.94 - margin))
    bar = figure.add_axes((0.89, margin, 0.02, 0.94 - margin))
    norm = weight_norm(scale) if pooling == "share" else Normalize(0, float(values.max()))
    axes.imshow(values, cmap=palette.weights, norm=norm, interpolation="nearest", aspect="auto")
    dress(axes, palette, title=title, x="key: the label looked at", y="query: the label that looks")
    _name_ticks(axes, names)
    if len(names) <= MAX_NUMBERED:
        factor, note = UNITS[pooling]
        _write_numbers(axes, factor * values, norm(values))
        figure.text(0.87, 0.955, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE)
    add_colour_bar(bar, palette.weights, norm, palette, MEANINGS[pooling].format(scale))
    return figure


def _name_ticks(axes: Axes, names: Sequence[str]) -> None:
    step = -(-len(names) // MAX_NAMES)
    shown = range(0, len(names), step)
    axes.set(xticks=shown, yticks=shown)
    upright = max(map(len, names)) <= 3
    axes.set_xticklabels(names[::step], rotation=0 if upright else 90)
    axes.set_yticklabels(names[::step])
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set(parse_math=False, fontsize=LABEL_SIZE if len(names) <= MAX_NAMES // 2 else LABEL_SIZE - 3)


def _write_numbers(
    axes: Axes, numbers: Float[np.ndarray, "labels labels"], brightness: Float[np.ndarray, "labels labels"]
) -> None:
    """Write each cell's number into it; where that is 0, its colour says enough."""
    for row, column in np.argwhere(numbers >= 0.5):
        ink = "black" if brightness[row, column] > 0.6 else "white"
        number = f"{numbers[row, column]:.0f}"
        axes.text(column, row, number, ha="center", va="center", color=ink, fontsize=LABEL_SIZE - 2)
