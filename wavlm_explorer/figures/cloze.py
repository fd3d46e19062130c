"""Pictures of hidden frames: what the model guesses to be there, how sure it is, and how near its states come."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from jaxtyping import Float, Int
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..tracing import Trace
from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend, over_time
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm
from .time_axes import frame_edges

WINDOW_SECONDS = 0.6  # to each side of the hidden frames
MAX_CLASSES = 14


def cloze_certainty(
    trace: Trace, hidden: slice, certainty: Mapping[str, Float[Tensor, " hidden"]], palette: Palette = LIGHT
) -> Picture:
    """How likely the model holds the true class of each hidden frame to be, under the sound; the middle is marked.

    certainty: what the model was like -> the probability of each hidden frame's true class.
    """
    middle, window = (hidden.start + hidden.stop) // 2, 2 * WINDOW_SECONDS + _seconds(trace, hidden)
    title = "The hidden frames, and how sure the model is of them"
    figure, axes = over_time(trace, title, palette, middle, window)
    for panel in figure.axes:
        panel.axvspan(*_edges(trace, hidden), color=palette.accent, alpha=0.18, linewidth=0)
    times = trace.frame_times[hidden].numpy()
    for (name, values), (colour, line) in zip(certainty.items(), _styles(palette), strict=False):
        axes.plot(times, values.numpy(), line, color=colour, marker="o", markersize=3.5, linewidth=1.5, label=name)
    axes.set_ylim(-0.03, 1.03)
    dress(axes, palette, x="time (s)", y="probability of the truth")
    add_legend(axes, palette)
    return figure


def cloze_guesses(
    trace: Trace,
    hidden: slice,
    probabilities: Float[Tensor, "hidden classes"],
    truth: Int[Tensor, " hidden"],
    palette: Palette = LIGHT,
) -> Picture:
    """The classes that the model thinks of, one column for each hidden frame; the true class of each is framed."""
    shown = classes_to_show(probabilities, truth)
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes, bar = figure.add_axes((0.1, 0.12, 0.76, 0.8)), figure.add_axes((0.88, 0.12, 0.022, 0.8))
    start, stop = _edges(trace, hidden)
    step = (stop - start) / len(truth)
    axes.imshow(
        probabilities[:, shown].T.numpy(), cmap=palette.weights, norm=weight_norm("square root"), aspect="auto",
        extent=(start, stop, len(shown) - 0.5, -0.5), interpolation="nearest",
    )  # fmt: skip
    for column, number in enumerate(truth.tolist()):
        corner = (start + column * step, shown.index(number) - 0.5)
        axes.add_patch(Rectangle(corner, step, 1, fill=False, edgecolor=palette.contrast, linewidth=2, clip_on=False))
    axes.set_yticks(range(len(shown)), [str(number) for number in shown])
    axes.xaxis.set_major_locator(MaxNLocator(6))
    dress(axes, palette, title="What it thinks of: framed is the truth", x="time (s)", y="class of sound")
    add_colour_bar(bar, palette.weights, weight_norm("square root"), palette, "probability (square root scale)")
    return figure


def classes_to_show(probabilities: Float[Tensor, "hidden classes"], truth: Int[Tensor, " hidden"]) -> list[int]:
    """The true classes, in order of time, then those that the model thinks of most, up to MAX_CLASSES together."""
    true = list(dict.fromkeys(truth.tolist()))
    likely = probabilities.sum(dim=0).argsort(descending=True).tolist()
    others = [number for number in likely if number not in true]
    return [*true, *others[: max(3, MAX_CLASSES - len(true))]]


def cloze_distance(distances: Mapping[str, Float[Tensor, " states"]], palette: Palette = LIGHT) -> Picture:
    """How far the states of hidden frames are from the true ones, from layer to layer; 1 is no nearer than the mean."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.1, 0.13, 0.87, 0.78))
    for (name, values), (colour, line) in zip(distances.items(), _styles(palette), strict=False):
        axes.plot(values.numpy(), line, color=colour, marker="o", markersize=3.5, linewidth=1.5, label=name)
    num_states = len(next(iter(distances.values())))
    highest = max(float(values.max()) for values in distances.values())
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    axes.set(xlim=(-0.3, num_states - 0.7), ylim=(0, 1.12 * max(1.0, highest)))
    places = np.unique(np.linspace(0, num_states - 1, min(num_states, 13)).round().astype(int))
    axes.set_xticks(places, ["in", *(str(place - 1) for place in places[1:])])
    dress(
        axes, palette, title="How far the guess is from the truth", x="what enters layer 0, and what leaves each layer",
        y="distance (1: that of the clip's mean frame)",
    )  # fmt: skip
    axes.legend(fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, frameon=False, loc="lower left")
    return figure


def _seconds(trace: Trace, hidden: slice) -> float:
    return (hidden.stop - hidden.start) * trace.model.config.frame_seconds


def _edges(trace: Trace, hidden: slice) -> tuple[float, float]:
    first, _ = frame_edges(trace)
    hop = trace.model.config.frame_seconds
    return first + hidden.start * hop, first + hidden.stop * hop


def _styles(palette: Palette) -> Sequence[tuple[str, str]] | cycle:
    return cycle(((palette.accent, "-"), (palette.contrast, "--"), (palette.ink, ":"), (palette.muted, "-.")))
