"""A picture of one head's attention before and after something was changed, and of the difference."""

import numpy as np
from matplotlib.colors import FuncNorm, Normalize
from matplotlib.ticker import NullLocator

from ..effects import AttentionChange
from ..tracing import Trace
from .reduction import pooling_note
from .style import LABEL_SIZE, Palette, Picture, add_colour_bar, dress, signed_norm, weight_norm
from .time_axes import draw_map

MAP_CELLS = 360


def attention_change_maps(
    trace: Trace, change: AttentionChange, names: tuple[str, str], difference: str, scale: str, palette: Palette
) -> Picture:
    """One head's attention before and after, by these names, and the difference, as `attention_change` compares them.

    The scale of the difference ends at a round number, which its title names, so that two can be compared; it is a
    square root where that of the weights is.

    Raises: ValueError for another scale.
    """
    reach = difference_reach(change.largest)
    weights = (palette.weights, weight_norm(scale), f"weight ({scale} scale)")
    signed = (palette.signed, difference_norm(reach, scale), f"{difference} ({scale} scale)")
    panels = (
        (f"Layer {change.layer} · head {change.head} · {names[0]}", change.before, *weights),
        (names[1], change.after, *weights),
        (f"difference, scale to ±{reach:g}", change.difference, *signed),
    )
    figure = Picture(11.5, 4.7, palette)
    grid = figure.add_gridspec(
        2, 3, height_ratios=(1, 0.03), left=0.055, right=0.975, bottom=0.12, top=0.9, wspace=0.12, hspace=0.28
    )
    for index, (title, values, cmap, norm, label) in enumerate(panels):
        axes, bar = (figure.add_subplot(grid[row, index]) for row in (0, 1))
        draw_map(axes, trace, values, cmap, norm, cells=MAP_CELLS)
        dress(axes, palette, title=title, x="key (s)", y="query (s)" if index == 0 else "")
        axes.tick_params(labelleft=index == 0)
        add_colour_bar(bar, cmap, norm, palette, label, horizontal=True)
        if index == 2:
            ticks = reach * np.array([-1, -0.25, 0, 0.25, 1] if scale == "square root" else [-1, -0.5, 0, 0.5, 1])
            bar.xaxis.set_minor_locator(NullLocator())
            bar.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    note = pooling_note(trace.num_frames, MAP_CELLS)
    figure.text(0.975, 0.968, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def difference_norm(reach: float, scale: str) -> Normalize:
    """Return a scale of differences, equally far to both sides of 0, in step with `weight_norm`."""
    if scale == "linear":
        return signed_norm(reach)
    return FuncNorm((_signed_root, _signed_square), -reach, reach)


def _signed_root(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.square(values)


def difference_reach(largest: float) -> float:
    """Return the first of 1, 0.5, 0.2, 0.1, ... a millionth that still holds the largest difference; 1 for none."""
    steps = sorted(digit * 10.0**power for power in range(-6, 0) for digit in (1, 2, 5))
    return next((step for step in steps if largest <= step), 1.0) if largest > 0 else 1.0
