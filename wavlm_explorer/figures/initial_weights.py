"""Pictures of weights before training and after: their histograms, and how far they spread."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from torch import Tensor

from ..initial_weights import TABLE, Draw, InitialWeights
from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, dress

NUM_BINS = 81
SHOWN = 0.999  # of the learned weights: a few far ones would squeeze all others into a line


def initial_histograms(
    weights: InitialWeights, learned: Float[Tensor, "..."], name: str, palette: Palette = LIGHT
) -> Picture:
    """A weight as its module draws it, as init_bert_params draws it again, and as a checkpoint has it.

    All three on one scale; the curve is what the numbers are expected to follow, in the last what they started from.
    """
    figure = Picture(11.5, 3.5, palette)
    reach = max(
        1.15 * weights.own_draw.reach, 4.5 * weights.redraw.std, float(np.quantile(learned.abs().numpy(), SHOWN))
    )
    panels = (
        (f"{name} · its module's own draw", weights.own, weights.own_draw, palette.muted),
        ("drawn again by init_bert_params", weights.redrawn, weights.redraw, palette.contrast),
        ("in this checkpoint", learned, weights.redraw, palette.accent),
    )
    edges, highest = np.linspace(-reach, reach, NUM_BINS + 1), 0.0
    columns = [figure.add_axes((0.055 + 0.32 * index, 0.15, 0.285, 0.74)) for index in range(3)]
    for axes, (title, values, draw, colour) in zip(columns, panels, strict=True):
        density = np.histogram(values.numpy(), edges)[0] / (values.numel() * (edges[1] - edges[0]))
        axes.stairs(density, edges, fill=True, color=colour, alpha=0.75)
        places = np.linspace(-reach, reach, 601)
        axes.plot(places, densities(draw, places), "--", color=palette.ink, linewidth=1.3)
        dress(axes, palette, title=title, x="weight", y="density (per unit)" if axes is columns[0] else "")
        highest = max(highest, float(density.max()), float(densities(draw, places).max()))
    for axes in columns:
        axes.set(xlim=(-reach, reach), ylim=(0, 1.06 * highest))
        axes.tick_params(labelleft=axes is columns[0])
        axes.xaxis.set_major_locator(MaxNLocator(5))
    return figure


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
    _name_decades(axes)
    dress(axes, palette, x="standard deviation")
    add_legend(axes, palette)
    return figure


def spreads_by_layer(
    learned: Mapping[str, Float[Tensor, " layers"]], redrawn: float, layer: int, chosen: str, palette: Palette = LIGHT
) -> Picture:
    """The standard deviation of every weight of the checkpoint, layer by layer; `chosen` stands out, if it is one."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = _titled(figure, "In the checkpoint, layer by layer", 0.11, palette)
    for name, spreads in learned.items():
        is_chosen, layers = name == chosen, np.arange(len(spreads))
        colour, width, front = (palette.accent, 2.2, 3) if is_chosen else (palette.muted, 1.0, 2)
        axes.plot(layers, spreads.numpy(), color=colour, linewidth=width, marker="o", markersize=3, zorder=front)
        axes.annotate(
            name, (layers[-1], float(spreads[-1])), (5, 0), textcoords="offset points", va="center", color=colour,
            fontsize=LABEL_SIZE - 1.5,
        )  # fmt: skip
    axes.axhline(redrawn, color=palette.contrast, linewidth=1.4, linestyle=(0, (4, 3)))
    axes.axvline(layer, color=palette.contrast, linewidth=1.2, zorder=1)
    num_layers = max(len(spreads) for spreads in learned.values())
    axes.set_xlim(-0.3, 1.18 * (num_layers - 1) + 0.3)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    dress(axes, palette, x="layer     (dashed: where training starts)", y="standard deviation")
    return figure


def _titled(figure: Picture, title: str, left: float, palette: Palette) -> Axes:
    figure.text(left, 0.925, title, color=palette.ink, fontsize=TITLE_SIZE)
    return figure.add_axes((left, 0.14, 0.97 - left, 0.67))


def _name_decades(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
