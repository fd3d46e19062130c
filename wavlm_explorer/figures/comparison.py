"""Pictures of two models side by side: what moved, how alike their states are, and where their attention parts."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress

LEAST_SHARE, MOST_SHARE = 1e-4, 1.0  # the ends of the colour scale of changes
MARKS = {"+": "only in B", "−": "only in A", "≠": "other shape", "!": "not finite"}
LEAST_BITS = 0.001  # attention that differs less is the same for any reader
MARK_COLOURS = {"+": "#2f9e44", "−": "#e03131", "≠": "#e03131", "!": "#e03131"}  # the sign says it too


def change_map(
    rows: Sequence[str],
    columns: Sequence[str],
    changes: Float[np.ndarray, "rows columns"],
    marks: Shaped[np.ndarray, "rows columns"],
    title: str,
    palette: Palette = LIGHT,
) -> Picture:
    """How far each part moved, ||b - a|| / ||a||, in shades of grey and in percent; exactly nothing is 0.

    changes: NaN where there is no number. marks: one of MARKS where a part cannot be compared, else empty.
    """
    width, height = 1.5 + 0.86 * max(len(columns), 6), 1.4 + 0.3 * len(rows)
    figure = Picture(width, height, palette)
    axes = figure.add_axes((1.0 / width, 0.62 / height, 1 - 1.2 / width, 0.3 * len(rows) / height))
    norm = LogNorm(LEAST_SHARE, MOST_SHARE, clip=True)
    axes.imshow(
        np.where(changes > 0, changes, np.nan), cmap=palette.sound, norm=norm, aspect="auto", interpolation="nearest"
    )
    for row, column in np.ndindex(changes.shape):
        _draw_cell(axes, row, column, float(changes[row, column]), str(marks[row, column]), palette, norm)
    dress(axes, palette, title=title)
    axes.set(xticks=range(len(columns)), yticks=range(len(rows)), xlim=(-0.5, len(columns) - 0.5))
    axes.set_yticklabels(rows)
    axes.set_xticklabels([name.replace("_", "_\n", 1) if len(name) > 12 else name for name in columns])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=LABEL_SIZE - 1.5)
    bar = figure.add_axes((1.0 / width, 0.44 / height, 2.6 / width, 0.09 / height))
    add_colour_bar(bar, palette.sound, norm, palette, "relative change (logarithmic)", horizontal=True)
    bar.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    bar.xaxis.set_minor_locator(NullLocator())
    seen = [f"{mark} {meaning}" for mark, meaning in MARKS.items() if (marks == mark).any()]
    figure.text(1 - 0.2 / width, 0.36 / height, "   ".join(seen), ha="right", color=palette.ink, fontsize=LABEL_SIZE)
    return figure


def _draw_cell(axes: Axes, row: int, column: int, change: float, mark: str, palette: Palette, norm: Normalize) -> None:
    """Write the percentage into a cell, or its mark on red or green."""
    if mark:
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=MARK_COLOURS[mark], linewidth=0))
    if not mark and np.isnan(change):
        return
    background = MARK_COLOURS[mark] if mark else palette.background
    if change > 0 and not mark:
        background = colormaps[palette.sound](float(norm(change)))[:3]
    ink = "#ffffff" if sum(to_rgb(background)) < 1.5 else "#1c2130"
    text = mark or ("0" if change == 0 else f"{100 * change:.0f}%" if change >= 0.0995 else f"{100 * change:.1g}%")
    axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=LABEL_SIZE - (0 if mark else 1.5))


def similarity_curves(
    curves: Mapping[str, Float[np.ndarray, " states"]], title: str, palette: Palette = LIGHT
) -> Picture:
    """How alike two models of equal depth are where they enter layer 0, and where they leave each layer; 1 is alike."""
    figure = Picture(7.2, 3.4, palette)
    axes = figure.add_axes((0.1, 0.155, 0.87, 0.74))
    styles = ((palette.accent, "-", "o"), (palette.muted, "--", "s"), (palette.contrast, "-", "^"))
    for (name, values), (colour, line, marker) in zip(curves.items(), styles, strict=False):
        axes.plot(values, color=colour, linestyle=line, marker=marker, markersize=4, linewidth=1.8, label=name)
    num_states = len(next(iter(curves.values())))
    _name_states(axes, num_states)
    axes.axhline(1, color=palette.line, linewidth=0.8, zorder=0)
    lowest = min((float(np.nanmin(values)) for values in curves.values() if np.isfinite(values).any()), default=0.0)
    reach = max(1 - lowest, 0.1)  # alike or not is judged on a scale that never shows less than a tenth
    axes.set(xlim=(-0.4, num_states - 0.6), ylim=(1 - 1.1 * reach, 1 + 0.06 * reach))
    dress(axes, palette, title=title, x="what enters layer 0, and what leaves each layer", y="similarity")
    axes.legend(frameon=False, fontsize=LABEL_SIZE, labelcolor=palette.ink, loc="lower left")
    return figure


def similarity_matrix(
    cka: Float[np.ndarray, "states_a states_b"], name_a: str, name_b: str, palette: Palette = LIGHT
) -> Picture:
    """How alike every state of one model is to every state of another; the best match of each row is framed."""
    num_rows, num_columns = cka.shape
    figure = Picture(1.9 + 0.24 * max(num_columns, 8), 1.35 + 0.24 * max(num_rows, 8), palette)
    height = figure.get_figheight()
    axes = figure.add_axes((0.14, 0.7 / height, 0.68, 1 - 1.1 / height))
    norm = Normalize(0, 1, clip=True)
    axes.imshow(cka, cmap=palette.weights, norm=norm, aspect="auto", interpolation="nearest")
    for row in range(num_rows):
        if np.isfinite(cka[row]).any():
            best = int(np.nanargmax(cka[row]))
            axes.add_patch(Rectangle((best - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=palette.contrast))
    dress(axes, palette, title="CKA of every pair of states", x=f"B: {name_b}", y=f"A: {name_a}")
    _name_states(axes, num_columns)
    _name_states(axes, num_rows, is_vertical=True)
    bar = figure.add_axes((0.85, 0.7 / height, 0.025, 1 - 1.1 / height))
    add_colour_bar(bar, palette.weights, norm, palette, "linear CKA")
    return figure


def divergence_maps(panels: Mapping[str, Float[np.ndarray, "layers heads"]], palette: Palette = LIGHT) -> Picture:
    """Jensen-Shannon divergence of attention, layers down and heads across: one scale for all panels.

    It never ends below LEAST_BITS: between equal attention there is rounding only, which should not shine.
    """
    num_layers = len(next(iter(panels.values())))
    largest = max(float(values.max()) for values in panels.values())
    norm = Normalize(0, max(largest, LEAST_BITS))
    figure = Picture(11.5, 1.5 + max(0.2 * num_layers, 1.4), palette)
    height = figure.get_figheight()
    for index, (name, values) in enumerate(panels.items()):
        axes = figure.add_axes((0.05 + 0.295 * index, 0.55 / height, 0.27, 1 - 0.95 / height))
        axes.imshow(values, cmap=palette.weights, norm=norm, aspect="auto", interpolation="nearest")
        dress(axes, palette, title=name, x="head", y="" if index else "layer")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(8, integer=True))
        axes.tick_params(labelleft=not index)
    bar = figure.add_axes((0.928, 0.55 / height, 0.012, 1 - 0.95 / height))
    add_colour_bar(bar, palette.weights, norm, palette, "bits")
    return figure


def _name_states(axes: Axes, num_states: int, is_vertical: bool = False) -> None:
    """Number states by the layer that they leave; the first enters layer 0."""
    step = max(1, round(num_states / 13))
    places = [0, *range(1, num_states, step)]
    labels = ["in", *(str(place - 1) for place in places[1:])]
    (axes.set_yticks if is_vertical else axes.set_xticks)(places, labels)
