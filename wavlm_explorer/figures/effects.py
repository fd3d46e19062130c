"""Pictures of what interventions do: one map before and after, the states by layer and time, and all heads at once."""

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from torch import Tensor

from ..effects import attention_change, state_changes
from ..noise import relative_changes
from ..tracing import Trace
from .attention_change import MAP_CELLS, attention_change_maps
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm
from .time_axes import draw_spectrogram
from .tracks import draw_tracks, time_locator, tracks_note

SCALE = "square root"  # of shares that move: one of a hundredth is seen beside one of a half
MOST_NUMBERED = 9  # heads or layers whose cells have room for a number
HALF_INCHES = (5.7, 3.7)
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:g}%")


def effect_on_attention(before: Trace, after: Trace, layer: int, head: int, palette: Palette = LIGHT) -> Picture:
    """One head's attention without the interventions, under them, and the difference.

    Raises: IndexError for a layer or head that is not there.
    """
    change = attention_change(before, after, layer, head, MAP_CELLS)
    return attention_change_maps(before, change, ("before", "after"), "after − before", SCALE, palette)


def effect_over_time(before: Trace, after: Trace, palette: Palette = LIGHT) -> Picture:
    """How far each frame of each state moved, under the spectrogram; "out" is what the model returns.

    The scale is the same for every intervention: a frame that moved by its own length or more is brightest.
    """
    relative = state_changes(before, after).relative
    rows = len(relative)
    map_inches = 0.19 * max(rows, 8)
    figure = Picture(11.5, 1.75 + map_inches, palette)
    height = figure.get_figheight()
    grid = figure.add_gridspec(
        2, 2, width_ratios=(1, 0.0128), height_ratios=(0.8, map_inches),
        left=0.055, right=0.94, bottom=0.5 / height, top=1 - 0.35 / height, wspace=0.0345, hspace=0.12,
    )  # fmt: skip
    sound, states, bar = (figure.add_subplot(grid[cell]) for cell in ((0, 0), (1, 0), (1, 1)))
    draw_spectrogram(sound, before, palette)
    dress(sound, palette, title="How far each frame moves", y="kHz")
    draw_tracks(states, before, relative, palette.weights, weight_norm(SCALE))
    dress(states, palette, x="time (s)", y="what leaves each layer")
    names = _name_states(rows)
    states.set_yticks(list(names), list(names.values()))
    sound.tick_params(labelbottom=False)
    sound.xaxis.set_major_locator(time_locator())
    add_colour_bar(bar, palette.weights, weight_norm(SCALE), palette, "relative change")
    bar.yaxis.set_major_formatter(PERCENT)
    note = tracks_note(*relative.shape, row_name="states")
    figure.text(0.915, 1 - 0.22 / height, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def _name_states(num_rows: int) -> dict[int, str]:
    """Row -> name, of as many as there is room for: what enters layer 0, what leaves each layer, and the output."""
    step = max(1, (num_rows - 2) // 12)
    return {0: "in", **{row: str(row - 1) for row in range(1, num_rows - 1, step)}, num_rows - 1: "out"}


def effect_by_layer(before: Trace, after: Trace, palette: Palette = LIGHT) -> Picture:
    """How far the whole clip moved, and how far its frames turned, by layer."""
    states, output = relative_changes(before, after)
    cosine = state_changes(before, after).cosine.mean(dim=1).numpy()
    figure = Picture(*HALF_INCHES, palette)
    moved, turned = figure.add_axes((0.125, 0.52, 0.845, 0.385)), figure.add_axes((0.125, 0.14, 0.845, 0.32))
    places = np.arange(len(cosine))
    moved.bar(places, [*states.tolist(), output], 0.62, color=[palette.contrast] * len(states) + [palette.accent])
    moved.set_ylim(0, 1.12 * max(*states.tolist(), output) or 1)
    moved.yaxis.set_major_formatter(PERCENT)
    dress(moved, palette, title="How far the clip moves, by layer", y="relative change")
    turned.plot(places, cosine, color=palette.contrast, linewidth=1.8, marker="o", markersize=4)
    turned.plot(places[-1:], cosine[-1:], "o", color=palette.accent, markersize=6)
    turned.set_ylim(min(0.0, 1.1 * float(cosine.min())), 1.08)
    dress(turned, palette, x="what leaves each layer", y="mean cosine")
    names = _name_states(len(cosine))
    for axes in (moved, turned):
        axes.set_xlim(-0.6, len(cosine) - 0.4)
        axes.set_xticks(list(names), list(names.values()))
        axes.yaxis.set_major_locator(MaxNLocator(4))
    moved.tick_params(labelbottom=False)
    return figure


def effect_on_heads(moved: Float[Tensor, "layers heads"], layer: int, head: int, palette: Palette = LIGHT) -> Picture:
    """What share of each head's attention goes elsewhere, as `moved_by_head` tells; one head is framed."""
    figure = Picture(*HALF_INCHES, palette)
    axes, bar = figure.add_axes((0.1, 0.14, 0.745, 0.765)), figure.add_axes((0.87, 0.14, 0.02, 0.765))
    _draw_heads(axes, moved, weight_norm(SCALE), palette)
    dress(axes, palette, title="Attention that goes elsewhere, by head", x="head", y="layer")
    _frame(axes, layer, head, palette)
    add_colour_bar(bar, palette.weights, weight_norm(SCALE), palette, "share that moves")
    bar.yaxis.set_major_formatter(PERCENT)
    return figure


def importance_of_heads(
    importance: Float[Tensor, "layers heads"],
    measure: Float[Tensor, "layers heads"],
    name: str,
    layer: int,
    head: int,
    palette: Palette = LIGHT,
) -> Picture:
    """How far the output moves without each head, beside one of the atlas's measures; one head is framed."""
    rows = len(importance)
    figure = Picture(11.5, 1.2 + max(0.24 * rows, 2.2), palette)
    height = figure.get_figheight()
    largest, (lowest, highest) = float(importance.max()), (float(measure.min()), float(measure.max()))
    panels = (
        ("How far the output moves without the head", importance, Normalize(0, largest or 1), "relative change"),
        (
            f"{name.capitalize()}, a measure of its map",
            measure,
            Normalize(lowest, highest if highest > lowest else lowest + 1),
            name,
        ),
    )
    for index, (title, values, norm, label) in enumerate(panels):
        left = 0.055 + 0.495 * index
        axes = figure.add_axes((left, 0.5 / height, 0.365, 1 - 0.9 / height))
        bar = figure.add_axes((left + 0.376, 0.5 / height, 0.01, 1 - 0.9 / height))
        _draw_heads(axes, values, norm, palette, in_percent=index == 0)
        dress(axes, palette, title=title, x="head", y="" if index else "layer")
        _frame(axes, layer, head, palette)
        add_colour_bar(bar, palette.weights, norm, palette, label)
        if index == 0:
            bar.yaxis.set_major_formatter(PERCENT)
    return figure


def _draw_heads(
    axes: Axes, values: Float[Tensor, "layers heads"], norm: Normalize, palette: Palette, in_percent: bool = True
) -> None:
    """Draw layers (down) x heads (across), with numbers where there is room."""
    axes.imshow(values.numpy(), cmap=palette.weights, norm=norm, aspect="auto", interpolation="nearest")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(13, integer=True))
    if max(values.shape) > MOST_NUMBERED:
        return
    for (layer, head), value in np.ndenumerate(values.numpy()):
        background = colormaps[palette.weights](float(norm(value)))[:3]
        ink = "#ffffff" if sum(background) < 1.5 else "#1c2130"
        text = f"{100 * value:.2g}%" if in_percent else f"{value:.3g}"
        axes.text(head, layer, text.replace("-", "−"), ha="center", va="center", color=ink, fontsize=LABEL_SIZE - 1)


def _frame(axes: Axes, layer: int, head: int, palette: Palette) -> None:
    axes.plot(
        [head - 0.5, head + 0.5, head + 0.5, head - 0.5, head - 0.5],
        [layer - 0.5, layer - 0.5, layer + 0.5, layer + 0.5, layer - 0.5],
        color=palette.contrast, linewidth=2, clip_on=False,
    )  # fmt: skip
