"""Pictures of weights before training and after: their histograms, and how far they spread."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from torch import Tensor

from ..initial_weights import TABLE, Draw, InitialWeights
from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend
from .style import LIGHT, TITLE_SIZE, Palette, Picture, dress

NUM_BINS = 81
WIDER = 3.0  # a checkpoint's weights may reach so many times further than drawn ones and still share their scale
SHOWN = 0.999  # of the learned weights: a few far ones would squeeze all others into a line


def initial_histograms(
    weights: InitialWeights, learned: Float[Tensor, "..."], name: str, palette: Palette = LIGHT
) -> Picture:
    """A weight as its module draws it, as init_bert_params draws it again, and as a checkpoint has it.

    The curve is what the numbers are expected to follow, in the last what they started from. All three stand on one
    scale, unless the checkpoint's would not fit.
    """
    reach = max(1.15 * weights.own_draw.reach, 4.5 * weights.redraw.std)
    far = float(np.quantile(learned.abs().numpy(), SHOWN))
    fits = far <= WIDER * reach
    reaches = [max(reach, far)] * 3 if fits else [reach, reach, far]
    panels = (
        (f"{name.replace(TABLE, 'bias table')} · its module's own draw", weights.own, weights.own_draw, palette.muted),
        ("drawn again by init_bert_params", weights.redrawn, weights.redraw, palette.contrast),
        ("in this checkpoint" + ("" if fits else ": other scales"), learned, weights.redraw, palette.accent),
    )
    figure = Picture(11.5, 3.5, palette)
    columns = [figure.add_axes((0.055 + 0.325 * index, 0.15, 0.28, 0.74)) for index in range(3)]
    highest = []
    for axes, (title, values, draw, colour), limit in zip(columns, panels, reaches, strict=True):
        highest.append(_draw_histogram(axes, values, draw, limit, colour, palette))
        dress(axes, palette, title=title, x="weight", y="density" if axes is columns[0] else "")
    for axes, top in zip(columns, [max(highest)] * 3 if fits else [max(highest[:2])] * 2 + highest[2:], strict=True):
        axes.set_ylim(0, 1.06 * top)
    return figure


def _draw_histogram(
    axes: Axes, values: Float[Tensor, "..."], draw: Draw, reach: float, colour: str, palette: Palette
) -> float:
    """Draw how densely numbers lie, with a curve over them; return the highest of the bars and, if it fits, the curve.

    Density: the share of all numbers per unit of weight, also of those that lie further out than is shown.
    """
    edges, places = np.linspace(-reach, reach, NUM_BINS + 1), np.linspace(-reach, reach, 1201)
    density = np.histogram(values.numpy(), edges)[0] / (values.numel() * (edges[1] - edges[0]))
    axes.stairs(density, edges, fill=True, color=colour, alpha=0.75)
    expected = densities(draw, places)
    axes.plot(places, expected, "--", color=palette.ink, linewidth=1.3)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    bars, curve = float(density.max()), float(expected.max())
    return curve if bars < curve < WIDER**2 * bars else bars


def densities(draw: Draw, places: np.ndarray) -> np.ndarray:
    """The probability density of a draw at some places."""
    if draw.kind == "uniform":
        return np.where(np.abs(places) <= draw.reach, 1 / (2 * draw.reach), 0.0)
    return np.exp(-((places / draw.std) ** 2) / 2) / (draw.std * np.sqrt(2 * np.pi))


def spreads_by_weight(
    own: Mapping[str, float], redrawn: float, learned: Mapping[str, float], chosen: str, palette: Palette = LIGHT
) -> Picture:
    """The standard deviation of each weight of a layer: as its module draws it, drawn again, and in the checkpoint.

    own, learned: name -> standard deviation, of the same names; `chosen` stands out.
    """
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = _titled(figure, "How widely each weight is spread", 0.2, palette)
    places = range(len(own))
    axes.axvline(redrawn, color=palette.contrast, linewidth=1.6, label="drawn again")
    axes.plot([*own.values()], places, "o", color=palette.muted, markersize=6, fillstyle="none", label="own draw")
    axes.plot([*learned.values()], places, "o", color=palette.accent, markersize=6, label="checkpoint")
    axes.axhspan([*own].index(chosen) - 0.5, [*own].index(chosen) + 0.5, color=palette.ink, alpha=0.06, linewidth=0)
    axes.set_yticks(places, [name.replace(TABLE, "bias table") for name in own])
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.set_xscale("log")
    _name_decades(axes.xaxis)
    dress(axes, palette, x="standard deviation")
    add_legend(axes, palette)
    return figure


def spreads_by_layer(
    learned: Mapping[str, Float[Tensor, " layers"]], redrawn: float, layer: int, chosen: str, palette: Palette = LIGHT
) -> Picture:
    """The standard deviation of every weight of the checkpoint, layer by layer; `chosen` stands out, if it is one."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = _titled(figure, "In the checkpoint, layer by layer", 0.11, palette)
    if chosen in learned:
        axes.plot(
            learned[chosen], color=palette.accent, linewidth=2.2, marker="o", markersize=5, label=chosen, zorder=3
        )
    others = [spreads for name, spreads in learned.items() if name != chosen]
    for index, spreads in enumerate(others):
        name = None if index else "the others"
        axes.plot(spreads, color=palette.muted, linewidth=1, marker="o", markersize=3, label=name)
    axes.axhline(redrawn, color=palette.contrast, linewidth=1.6, label="drawn again")
    axes.axvline(layer, color=palette.contrast, linewidth=1.2, zorder=1)
    axes.set_yscale("log")
    _name_decades(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    dress(axes, palette, x="layer", y="standard deviation")
    add_legend(axes, palette)
    return figure


def _titled(figure: Picture, title: str, left: float, palette: Palette) -> Axes:
    figure.text(left, 0.925, title, color=palette.ink, fontsize=TITLE_SIZE)
    return figure.add_axes((left, 0.14, 0.97 - left, 0.67))


def _name_decades(axis: Axis) -> None:
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
