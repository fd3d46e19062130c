"""Pictures of a norm: each row before and after, where half precision goes wrong, and at which size of the numbers."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..norms import SCALES, NormComparison, NormSubject
from ..tracing import Trace
from .panels import HEIGHT_INCHES, WIDTH_INCHES
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, add_colour_bar, dress
from .tracks import draw_tracks, tracks_note

SMALLEST_ERROR, LARGEST_ERROR = 1e-5, 10.0


def norm_before_after(
    trace: Trace, subject: NormSubject, compared: NormComparison, scale: float, title: str, palette: Palette = LIGHT
) -> Picture:
    """Mean and spread of every row, before the norm and after it."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    above, below = figure.add_axes((0.12, 0.56, 0.85, 0.34)), figure.add_axes((0.12, 0.14, 0.85, 0.34))
    places = np.arange(len(subject.rows)) if subject.is_group else trace.frame_times.numpy()
    _draw_spread(above, places, subject.rows * scale, palette.muted)
    _draw_spread(below, places, compared.exact.output, palette.accent)
    dress(above, palette, title=title, y="before")
    dress(below, palette, x="channel" if subject.is_group else "time (s)", y="after")
    above.tick_params(labelbottom=False)
    return figure


def _draw_spread(axes: Axes, places: np.ndarray, rows: Float[Tensor, "rows columns"], colour: str) -> None:
    """The mean of each row, within a band of one standard deviation to both sides."""
    mean, spread = rows.mean(dim=1).numpy(), rows.std(dim=1, correction=0).numpy()
    axes.fill_between(places, mean - spread, mean + spread, color=colour, alpha=0.28, linewidth=0)
    axes.plot(places, mean, color=colour, linewidth=1.5, marker="." if len(places) == 1 else "")
    axes.set_xlim((places[0], places[-1]) if len(places) > 1 else (places[0] - 0.5, places[0] + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def norm_errors(
    trace: Trace, subject: NormSubject, compared: NormComparison, half: str, palette: Palette = LIGHT
) -> Picture:
    """How far each number is from the exact one: with float32 inside the norm, and wholly in half precision."""
    figure = Picture(2 * WIDTH_INCHES, HEIGHT_INCHES + 0.4, palette)
    norm = LogNorm(SMALLEST_ERROR, LARGEST_ERROR, clip=True)
    panels = (
        (f"{type(subject.norm).__name__}, {half} outside only", compared.protected, 0.055),
        (f"wholly in {half}", compared.half.output, 0.505),
    )
    for index, (title, output, left) in enumerate(panels):
        axes = figure.add_axes((left, 0.135, 0.41, 0.765))
        errors = subject.by_channel(compared.error(output)).clamp(SMALLEST_ERROR, LARGEST_ERROR)
        draw_tracks(axes, trace, errors, palette.weights, norm)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelleft=index == 0)
        dress(axes, palette, title=title, x="time (s)", y="channel" if index == 0 else "")
    bar = figure.add_axes((0.928, 0.135, 0.011, 0.765))
    add_colour_bar(bar, palette.weights, norm, palette, "error (logarithmic scale)")
    bar.minorticks_off()
    num_channels, num_frames = subject.by_channel(subject.rows).shape
    note = tracks_note(num_channels, num_frames)
    figure.text(0.985, 0.955, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def norm_error_by_scale(
    errors: Mapping[str, Float[Tensor, "scales 2"]], half: str, scale: float, palette: Palette = LIGHT
) -> Picture:
    """The largest error over what the numbers were multiplied by, for each half type; one type stands out.

    errors: half type -> what `errors_by_scale` gives.
    """
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.12, 0.14, 0.85, 0.62))
    for name, curves in errors.items():
        colour = palette.accent if name == half else palette.muted
        for curve, dashes, what in zip(curves.T, ("--", "-"), ("float32 inside", "throughout"), strict=True):
            axes.plot(
                SCALES, curve.clamp(SMALLEST_ERROR, LARGEST_ERROR).numpy(), dashes, color=colour, linewidth=1.7,
                marker="o", markersize=3.5, label=f"{name}, {what}",
            )  # fmt: skip
    axes.axvline(scale, color=palette.contrast, linewidth=1.2, zorder=1)
    axes.set(xscale="log", yscale="log", ylim=(SMALLEST_ERROR * 10, 2 * LARGEST_ERROR))
    axes.set_xticks(SCALES, [f"{one:g}" if one >= 1 else f"1/{round(1 / one)}" for one in SCALES])
    axes.minorticks_off()
    dress(axes, palette, x="the numbers times", y="largest error")
    figure.text(0.12, 0.93, "Range and precision", color=palette.ink, fontsize=TITLE_SIZE)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=2, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, handlelength=2.4, columnspacing=1.2,
    )  # fmt: skip
    return figure


def latex_number(number: float) -> str:
    """Write a number that half precision may have lost, as LaTeX: "0.0123", "10,300", infinity, or "NaN"."""
    if math.isnan(number):
        return r"\text{NaN}"
    if math.isinf(number):
        return r"\infty" if number > 0 else r"-\infty"
    return f"{number:,.3f}".replace(",", "{,}") if abs(number) < 100 else f"{number:,.0f}".replace(",", "{,}")
