"""Pictures of activations: the curves, the two forms of GELU magnified, and what a clip's numbers meet."""

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from torch import Tensor

from ..activations import CURVES, GeluDifference
from .panels import WIDTH_INCHES
from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress

HEIGHT_INCHES = 3.9
SHOWN = (-4.0, 3.0)  # of x: where the curves differ
POINTS = 701
NUM_BINS = 100
LINES = (  # names whose curves are the same, or the same to the eye, share a line
    (("gelu", "gelu_accurate", "gelu_fast"), "-"),
    (("swish",), "-."),
    (("relu",), "--"),
    (("tanh",), ":"),
    (("linear", "glu"), (0, (6, 3, 1, 3, 1, 3))),
)


def activation_curves(chosen: str, own: str, palette: Palette = LIGHT) -> Picture:
    """Every activation over x: the chosen one stands out, and so does the model's own."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.1, 0.14, 0.87, 0.77))
    x = torch.linspace(*SHOWN, POINTS)
    for names, dashes in LINES:
        colour, width = palette.muted, 1.2
        if own in names:
            colour, width = palette.contrast, 1.9
        if chosen in names:
            colour, width = palette.accent, 2.5
        label = ", ".join(names) + (" (this model)" if own in names else "")
        axes.plot(
            x.numpy(), CURVES[names[0]](x).numpy(), color=colour, linestyle=dashes, linewidth=width, label=label,
            zorder=1 + width,
        )  # fmt: skip
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.set(xlim=SHOWN, ylim=(-1.3, SHOWN[1]))
    dress(axes, palette, title="What each activation makes of x", x="x, before the activation", y="after it")
    axes.legend(loc="upper left", frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handlelength=3.2)
    return figure


def gelu_difference(gelus: GeluDifference, palette: Palette = LIGHT) -> Picture:
    """The exact GELU and its approximation, which coincide to the eye, and their difference, magnified."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    above, below = figure.add_axes((0.1, 0.56, 0.87, 0.35)), figure.add_axes((0.1, 0.14, 0.87, 0.31))
    x, scale = gelus.x.numpy(), 1e4
    above.plot(x, gelus.exact.numpy(), color=palette.accent, linewidth=2.6, label="gelu")
    above.plot(x, gelus.accurate.numpy(), "--", color=palette.ink, linewidth=1.1, label="gelu_accurate")
    above.legend(loc="upper left", frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink)
    dress(above, palette, title="GELU, exact and by its tanh form", y="after it")
    above.tick_params(labelbottom=False)
    below.plot(x, scale * gelus.difference.numpy(), color=palette.contrast, linewidth=1.8)
    below.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    for side in (-1, 1):
        below.axvline(side * gelus.where, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    dress(below, palette, x="x, before the activation", y="difference × 10⁴")
    below.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}".replace("-", "−")))
    for axes in (above, below):
        axes.set_xlim(float(x[0]), float(x[-1]))
    return figure


def pre_activation_histogram(
    inputs: Float[Tensor, "frames channels"], activation: str, title: str = "", palette: Palette = LIGHT
) -> Picture:
    """Where the numbers of a clip fall on the curve of one activation.

    Raises: KeyError for a name that is not in CURVES.
    """
    figure = Picture(2 * WIDTH_INCHES, HEIGHT_INCHES - 0.3, palette)
    axes = figure.add_axes((0.055, 0.145, 0.925, 0.765))
    first, last = _limits(inputs)
    x = torch.linspace(first, last, POINTS)
    axes.plot(x.numpy(), CURVES[activation](x).numpy(), color=palette.accent, linewidth=2.2, label=activation)
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    _draw_frequency(axes, inputs, (first, last), palette)
    axes.set_xlim(first, last)
    dress(axes, palette, title=title, x="before the activation", y="after it")
    axes.legend(loc="upper left", frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink)
    return figure


def _draw_frequency(
    axes: Axes, inputs: Float[Tensor, "frames channels"], ends: tuple[float, float], palette: Palette
) -> None:
    """How often each input occurs, as a shape that fills two thirds of the axes from below."""
    counts = inputs.flatten().histc(NUM_BINS, *ends).numpy()
    low, high = axes.get_ylim()
    heights = low + 0.66 * (high - low) * counts / max(counts.max(), 1)
    axes.stairs(
        heights, np.linspace(*ends, NUM_BINS + 1), baseline=low, fill=True, color=palette.muted, alpha=0.28, zorder=1,
        label="how often that number occurs",
    )  # fmt: skip
    axes.set_ylim(low, high)


def _limits(inputs: Float[Tensor, "frames channels"]) -> tuple[float, float]:
    """Where all but the outermost 0.1 % of either side lie; never the same number twice."""
    few = max(1, inputs.numel() // 1000)
    first, last = (float(inputs.flatten().kthvalue(place).values) for place in (few, inputs.numel() + 1 - few))
    return (first, last) if last - first > 1e-6 else (first - 0.5, last + 0.5)
