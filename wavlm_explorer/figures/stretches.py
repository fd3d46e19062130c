"""Pictures of two stretches side by side: where they look, how far, and which of their frames are alike."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..stretches import Stretch, distance_profile, similarity, spans_ms, stretch_map
from ..wording import duration
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm, weight_norm
from .time_axes import draw_spectrogram

MAX_NAME_LENGTH = 36  # characters
LEAST_SPAN_MS = 5.0


def stretch_maps(
    a: Stretch, b: Stretch, layer: int, head: int, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """One head's rows of attention for two stretches, each under the sound around it.

    Raises: IndexError for a layer or head that is not there; ValueError for another scale.
    """
    figure = Picture(11.5, 4.9, palette)
    grid = figure.add_gridspec(
        2, 4, width_ratios=(1, 0.14, 1, 0.02), height_ratios=(0.2, 1),
        left=0.055, right=0.945, bottom=0.105, top=0.925, wspace=0.045, hspace=0.035,
    )  # fmt: skip
    for letter, stretch, column in (("A", a, 0), ("B", b, 2)):
        above, main = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        _draw_rows(main, stretch, layer, head, scale, palette)
        draw_spectrogram(above, stretch.trace, palette)
        above.set_xlim(main.get_xlim())
        _mark(above, stretch, _colour(letter, palette))
        dress(above, palette, title=_title(letter, stretch), y="kHz")
        above.title.set(color=_colour(letter, palette), parse_math=False)
        above.tick_params(labelbottom=False)
    add_colour_bar(
        figure.add_subplot(grid[1, 3]), palette.weights, weight_norm(scale), palette, f"weight ({scale} scale)"
    )
    figure.text(0.945, 0.962, f"layer {layer} · head {head}", ha="right", color=palette.muted, fontsize=LABEL_SIZE)
    return figure


def _draw_rows(axes: Axes, stretch: Stretch, layer: int, head: int, scale: str, palette: Palette) -> None:
    weights, keys, (down, across) = stretch_map(stretch, layer, head)
    first, last = _edges(stretch, keys.start, keys.stop)
    top, bottom = _edges(stretch, stretch.start, stretch.stop)
    hop = stretch.trace.model.config.frame_seconds
    extent = (first, first + weights.shape[1] * across * hop, top + weights.shape[0] * down * hop, top)
    axes.imshow(
        weights.numpy(), cmap=palette.weights, norm=weight_norm(scale), extent=extent, interpolation="nearest",
        aspect="auto",
    )  # fmt: skip
    axes.set(xlim=(first, last), ylim=(bottom, top))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    dress(axes, palette, x="key: the frame looked at (s)", y="query: the frame that looks (s)")
    if (down, across) != (1, 1):
        axes.annotate(
            f"each cell is the largest of {down} × {across} frames", (1, 1), (-4, -4), xycoords="axes fraction",
            textcoords="offset points", ha="right", va="top", color="white", fontsize=LABEL_SIZE - 1,
        )  # fmt: skip


def frame_similarity(a: Stretch, b: Stretch, layer: int, palette: Palette = LIGHT) -> Picture:
    """Which frames of one stretch are like which of the other, as they leave a layer.

    Raises: IndexError for a layer that is not there; ValueError for stretches of different models.
    """
    cosines, _ = similarity(a, b, layer)
    figure = Picture(5.75, 5.2, palette)
    grid = figure.add_gridspec(
        2, 3, width_ratios=(0.14, 1, 0.035), height_ratios=(0.14, 1),
        left=0.11, right=0.88, bottom=0.1, top=0.93, wspace=0.04, hspace=0.035,
    )  # fmt: skip
    above, left, main = (figure.add_subplot(grid[cell]) for cell in ((0, 1), (1, 0), (1, 1)))
    (top, bottom), (first, last) = (_edges(one, one.start, one.stop) for one in (a, b))
    draw_spectrogram(above, b.trace, palette)
    draw_spectrogram(left, a.trace, palette, time="y")
    main.imshow(
        cosines.numpy(), cmap=palette.signed, norm=signed_norm(1.0), extent=(first, last, bottom, top),
        interpolation="nearest", aspect="auto",
    )  # fmt: skip
    above.set_xlim(first, last)
    left.set_ylim(bottom, top)
    dress(above, palette, title=f"Alike behind layer {layer}", y="kHz")
    dress(left, palette, x="kHz", y=f"{_title('A', a)} (s)")
    dress(main, palette, x=f"{_title('B', b)} (s)")
    for label in (left.yaxis.label, main.xaxis.label):
        label.set(parse_math=False)
    above.tick_params(labelbottom=False)
    main.tick_params(labelleft=False)
    left.yaxis.set_major_locator(MaxNLocator(6))
    main.xaxis.set_major_locator(MaxNLocator(6))
    add_colour_bar(figure.add_subplot(grid[1, 2]), palette.signed, signed_norm(1.0), palette, "cosine")
    return figure


def stretch_reach(a: Stretch, b: Stretch, layer: int, head: int, palette: Palette = LIGHT) -> Picture:
    """How far one head looks in two stretches, distance by distance, and how far all heads of the layer do on average.

    Raises: IndexError for a layer or head that is not there.
    """
    figure = Picture(5.75, 5.2, palette)
    above, below = figure.add_axes((0.12, 0.6, 0.85, 0.33)), figure.add_axes((0.12, 0.1, 0.85, 0.33))
    for letter, stretch, dashes in (("A", a, "-"), ("B", b, "--")):
        distances, weights = distance_profile(stretch, layer, head)
        colour = _colour(letter, palette)
        above.plot(distances.numpy(), weights.numpy(), dashes, color=colour, linewidth=1.7, label=letter)
    above.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    above.set_yscale("function", functions=(np.sqrt, np.square))  # as the colours of maps
    above.set_ylim(0)
    title, across = f"Layer {layer} · head {head}", "distance from query to key (ms)     ← before · after →"
    dress(above, palette, title=title, x=across, y="mean weight (square root)")
    _add_legend(above, palette)
    _draw_spans(below, a, b, layer, head, palette)
    return figure


def _draw_spans(axes: Axes, a: Stretch, b: Stretch, layer: int, head: int, palette: Palette) -> None:
    spans_a, spans_b = (spans_ms(one, layer).clamp(min=LEAST_SPAN_MS).numpy() for one in (a, b))
    heads = np.arange(len(spans_a))
    sizes = np.where(heads == head, 70, 32)
    axes.hlines(heads, spans_a, spans_b, color=palette.line, linewidth=2.5, zorder=1)
    for letter, spans, marker in (("A", spans_a, "o"), ("B", spans_b, "D")):
        colour = _colour(letter, palette)
        axes.scatter(
            spans,
            heads,
            s=sizes,
            color=colour,
            marker=marker,
            zorder=2,
            label=letter,
            edgecolor=palette.background,
            linewidth=0.8,
        )
    lowest, highest = min(spans_a.min(), spans_b.min()) / 1.4, max(spans_a.max(), spans_b.max()) * 1.4
    axes.set(xscale="log", xlim=(lowest, highest), ylim=(len(heads) - 0.5, -0.5))
    round_numbers = [first * 10**power for power in range(5) for first in (1, 2, 5)]
    axes.set_xticks([number for number in round_numbers if lowest <= number <= highest])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda span, _: duration(float(span))))
    axes.minorticks_off()
    axes.yaxis.set_major_locator(MaxNLocator(13, integer=True))
    dress(axes, palette, title="All heads of the layer", x="mean distance to what a frame looks at", y="head")
    _add_legend(axes, palette)


def _add_legend(axes: Axes, palette: Palette) -> None:
    axes.legend(
        fontsize=LABEL_SIZE, labelcolor=palette.ink, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2,
        borderaxespad=0.2, columnspacing=1.2, handlelength=1.6,
    )  # fmt: skip


def _edges(stretch: Stretch, start: int, stop: int) -> tuple[float, float]:
    times, half = stretch.trace.frame_times, stretch.trace.model.config.frame_seconds / 2
    return float(times[start]) - half, float(times[stop - 1]) + half


def _mark(axes: Axes, stretch: Stretch, colour: str) -> None:
    if not stretch.is_whole:
        axes.axvspan(*_edges(stretch, stretch.start, stretch.stop), color=colour, alpha=0.25, linewidth=0)


def _colour(letter: str, palette: Palette) -> str:
    return palette.accent if letter == "A" else palette.contrast


def _title(letter: str, stretch: Stretch) -> str:
    name = stretch.name
    return f"{letter} · {name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + '…'}"
