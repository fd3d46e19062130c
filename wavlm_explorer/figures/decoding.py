"""Pictures of decoding step by step: the rows so far, one row computed both ways, how far off, and what it saves."""

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..incremental_decoding import Decoding, Work
from ..tracing import Trace
from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend, over_time
from .style import LIGHT, TITLE_SIZE, Palette, Picture, add_colour_bar, dress, weight_norm

SMALLEST_DIFFERENCE = 1e-9  # what is smaller, zero too, is drawn here
SINGLE_PRECISION = 2.0**-23  # the relative distance of two neighbouring float32 numbers


def decoding_rows(
    trace: Trace, rows: Float[Tensor, "steps keys"], step: int, title: str = "", palette: Palette = LIGHT
) -> Picture:
    """One head's rows up to a step, each as long as the memory was then; later rows are still to come."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes, bar = figure.add_axes((0.1, 0.14, 0.74, 0.77)), figure.add_axes((0.87, 0.14, 0.022, 0.77))
    half = trace.model.config.frame_seconds / 2
    first, last = float(trace.frame_times[0]) - half, float(trace.frame_times[len(rows) - 1]) + half
    keys, queries = np.arange(len(rows)), np.arange(len(rows))[:, None]
    absent = (keys > queries) | (queries > step)
    shown, norm = np.ma.masked_array(rows.numpy(), absent), weight_norm("square root")
    axes.imshow(
        shown,
        cmap=palette.weights,
        norm=norm,
        extent=(first, last, last, first),
        interpolation="nearest",
        aspect="auto",
    )
    time = float(trace.frame_times[step])
    axes.axhline(time, color=palette.contrast, linewidth=1.2)
    axes.set(xlim=(first, last), ylim=(last, first))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    dress(axes, palette, title=title, x="key in the memory (s)", y="query: one step each (s)")
    add_colour_bar(bar, palette.weights, norm, palette, "weight (square root scale)")
    return figure


def decoding_row(trace: Trace, decoding: Decoding, head: int, step: int, palette: Palette = LIGHT) -> Picture:
    """One step's attention over the keys in its memory, and the same row of the pass over all frames at once.

    Raises: IndexError for a head or step that is not there.
    """
    num_steps = decoding.at_once.shape[1]
    figure, axes = over_time(
        trace, f"Step {step}: one row, computed twice", palette, seconds=num_steps * trace.model.config.frame_seconds
    )
    times, seen = trace.frame_times[:num_steps].numpy(), slice(0, step + 1)
    whole, stepped = decoding.at_once[head, step].numpy(), decoding.step_by_step[head, step].numpy()
    axes.plot(times, whole, color=palette.muted, linewidth=4, alpha=0.6, label="all at once, causal mask")
    axes.plot(
        times[seen], stepped[seen], color=palette.accent, linewidth=1.1, marker="o", markersize=2.5,
        label="step by step",
    )  # fmt: skip
    for panel in figure.axes:
        panel.axvline(float(times[step]), color=palette.contrast, linewidth=1.2, zorder=1)
    axes.set(ylim=(0, 1.08 * float(whole.max())))
    dress(axes, palette, x="key (s)", y="weight")
    add_legend(axes, palette)
    return figure


def decoding_differences(decoding: Decoding, step: int, palette: Palette = LIGHT) -> Picture:
    """How far the two ways are apart at each step: the weights of all heads, and the attention's output."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.66))
    curves = (
        ("weights, all heads", decoding.weight_difference, palette.accent),
        ("output", decoding.output_difference, palette.ink),
    )
    for name, values, colour in curves:
        drawn = values.clamp(min=SMALLEST_DIFFERENCE).numpy()
        axes.plot(drawn, ".", color=colour, markersize=4, label=name)
    axes.axhline(
        SINGLE_PRECISION, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), label="float32's last digit"
    )
    axes.axvline(step, color=palette.contrast, linewidth=1.2, zorder=1)
    axes.set(yscale="log", ylim=(SMALLEST_DIFFERENCE / 2, 1e-3))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    dress(axes, palette, x="step", y="largest difference")
    figure.text(0.13, 0.925, "Step by step against all at once", color=palette.ink, fontsize=TITLE_SIZE)
    add_legend(axes, palette)
    return figure


def decoding_work(work: Work, step: int, palette: Palette = LIGHT) -> Picture:
    """Operations of each step of one layer's attention, with the memory and without it."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.66))
    curves = (("with the memory", work.with_memory, palette.accent), ("without it", work.without, palette.ink))
    for name, values, colour in curves:
        axes.plot(values.numpy() / 1e6, color=colour, linewidth=1.8, label=name, marker="." if len(values) == 1 else "")
    axes.axvline(step, color=palette.contrast, linewidth=1.2, zorder=1)
    axes.set(yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    dress(axes, palette, x="step", y="million operations a step")
    figure.text(0.13, 0.925, "What the memory saves", color=palette.ink, fontsize=TITLE_SIZE)
    add_legend(axes, palette)
    return figure
