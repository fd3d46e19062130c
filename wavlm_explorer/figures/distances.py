"""Axes of distance from query to key."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from torch import Tensor

NEAR_MS = 160.0  # up to here the axis of distances is linear, beyond it logarithmic
TICKS_MS = (80.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0)  # every second one where space is short
WIDE_INCHES = 8.0


def scale_distances(axes: Axes, distances_ms: Float[Tensor, " distances"]) -> None:
    """Linear where a step of 20 ms matters, logarithmic beyond; every tick with its unit.

    distances_ms: all that the axis shows, in even steps and the same on both sides of 0.
    """
    reach, hop = float(distances_ms[-1]), float(distances_ms[1] - distances_ms[0])
    axes.set_xscale("symlog", linthresh=NEAR_MS, linscale=0.9)
    axes.set_xlim(-reach, reach)
    steps = np.arange(hop, NEAR_MS + 1, hop)
    is_wide = axes.bbox.width / axes.figure.dpi > WIDE_INCHES
    ticks = [tick for tick in TICKS_MS[:: 1 if is_wide else 2] if tick < reach]
    axes.xaxis.set_major_locator(FixedLocator([*(-tick for tick in reversed(ticks)), 0.0, *ticks]))
    axes.xaxis.set_minor_locator(FixedLocator([*-steps[::-1], *steps]))
    axes.xaxis.set_major_formatter(FuncFormatter(_name_distance))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=1.8, width=0.5, colors=axes.xaxis.get_tick_params()["color"])


def _name_distance(milliseconds: float, _: int | None = None) -> str:
    sign = "−" if milliseconds < 0 else ""
    size = abs(milliseconds)
    return f"{sign}{size:.0f} ms" if 0 < size < 1000 else f"{sign}{size / 1000:g} s" if size else "0"
