"""Pictures of a checkpoint's weights: their sizes by layer, how they are spread, and the table of position biases."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from ..bias import BiasCurves
from .bias import ROW_INCHES, draw_heads_over_distance
from .distances import scale_distances
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm

LARGEST_RATIO = 8.0  # times a role's median; beyond it colours saturate
HISTOGRAM_COLUMNS = 4


def tensor_sizes(sizes: Mapping[str, Sequence[float]], palette: Palette = LIGHT) -> Picture:
    """Root mean square of every tensor, roles down, layers across, against the median of its role.

    sizes: role -> one number a layer; NaN where there is no such tensor, which is drawn as a cross.
    """
    table = np.array(list(sizes.values()), dtype=float)  # [roles, layers]
    positive = np.where(table > 0, table, np.nan)
    with np.errstate(all="ignore"):
        medians = np.array([np.median(row[row > 0]) if (row > 0).any() else np.nan for row in table])
        ratios = np.log2(positive / medians[:, None])
    figure = Picture(11.5, 1.1 + 0.24 * len(table), palette)
    height = figure.get_figheight()
    axes = figure.add_axes((0.2, 0.55 / height, 0.66, 1 - 0.95 / height))
    bar = figure.add_axes((0.875, 0.55 / height, 0.011, 1 - 0.95 / height))
    norm = Normalize(-np.log2(LARGEST_RATIO), np.log2(LARGEST_RATIO))
    axes.imshow(ratios, cmap=palette.signed, norm=norm, aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(np.isnan(table)):
        axes.plot(column, row, "x", color=palette.accent, markersize=5)
    for row, column in np.argwhere(table == 0):
        axes.text(column, row, "0", color=palette.muted, fontsize=LABEL_SIZE - 2, ha="center", va="center")
    dress(axes, palette, title="Size of every tensor, against its like in the other layers", x="layer")
    axes.set_yticks(range(len(table)), list(sizes))
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    add_colour_bar(bar, palette.signed, norm, palette, "times the median of its row")
    powers = np.arange(-3, 4)
    bar.set_yticks(powers, [f"{2**power}" if power >= 0 else f"1/{2**-power}" for power in powers])
    figure.text(
        0.86, 1 - 0.28 / height, "× missing or broken   0 all zeros", ha="right", color=palette.muted,
        fontsize=LABEL_SIZE - 1,
    )  # fmt: skip
    return figure


def weight_histograms(
    weights: Mapping[str, Mapping[int, np.ndarray]], flagged: Sequence[tuple[str, int]] = (), palette: Palette = LIGHT
) -> Picture:
    """How the weights of each role are spread, a line a layer, in standard deviations of the role.

    weights: role -> layer -> numbers, a sample of them will do. flagged: (role, layer) of lines that stand out.
    """
    rows = -(-len(weights) // HISTOGRAM_COLUMNS)
    figure = Picture(11.5, 0.5 + 1.9 * max(rows, 1), palette)
    height = figure.get_figheight()
    figure.subplots_adjust(0.06, 0.5 / height, 0.98, 1 - 0.3 / height, hspace=0.55, wspace=0.28)
    for index, (role, layers) in enumerate(weights.items()):
        axes = figure.add_subplot(max(rows, 1), HISTOGRAM_COLUMNS, index + 1)
        _draw_histograms(axes, layers, {layer for name, layer in flagged if name == role}, palette)
        is_last = index >= len(weights) - HISTOGRAM_COLUMNS
        dress(axes, palette, title=role, x="value / standard deviation" if is_last else "")
    return figure


def _draw_histograms(axes: Axes, layers: Mapping[int, np.ndarray], flagged: set[int], palette: Palette) -> None:
    spreads = [float(numbers.std()) for numbers in layers.values() if numbers.size]
    unit = float(np.median(spreads)) if spreads else 1.0
    edges = np.linspace(-8, 8, 81)
    centres = (edges[1:] + edges[:-1]) / 2
    for layer, numbers in layers.items():
        scaled = np.clip(numbers / (unit if unit > 0 else 1.0), -7.99, 7.99)
        share = np.histogram(scaled, edges)[0] / max(numbers.size, 1)
        stands_out = layer in flagged
        axes.plot(
            centres, np.where(share > 0, share, np.nan), color=palette.accent if stands_out else palette.contrast,
            linewidth=1.6 if stands_out else 0.8, alpha=1.0 if stands_out else 0.5, zorder=3 if stands_out else 2,
        )  # fmt: skip
        if stands_out:
            axes.plot([], [], color=palette.accent, label=f"layer {layer}")
    axes.set_yscale("log")
    axes.set_ylim(1e-5, 1)
    axes.yaxis.set_major_locator(FixedLocator([1e-4, 1e-2, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}" if share >= 0.01 else f"{share:.2%}"))
    axes.minorticks_off()
    if flagged & layers.keys():
        axes.legend(fontsize=LABEL_SIZE - 2, frameon=False, labelcolor=palette.muted)


def bias_table(curves: BiasCurves, palette: Palette = LIGHT) -> Picture:
    """What each head adds to the logit of a key at each distance, before the gate: heads down, distance across."""
    num_heads = curves.bias.shape[0]
    figure = Picture(11.5, 1.0 + ROW_INCHES * 1.3 * max(num_heads, 6), palette)
    height = figure.get_figheight()
    axes = figure.add_axes((0.055, 0.55 / height, 0.86, 1 - 0.95 / height))
    bar = figure.add_axes((0.928, 0.55 / height, 0.011, 1 - 0.95 / height))
    norm = signed_norm(float(curves.bias.nan_to_num(posinf=0, neginf=0).abs().max()))
    draw_heads_over_distance(axes, curves, palette, norm)
    dress(
        axes, palette, title="Learned position bias of every head",
        x="distance from query to key     ← key before · key after →", y="head",
    )  # fmt: skip
    scale_distances(axes, curves.distances_ms)
    axes.set_yticks(range(0, num_heads, 1 if num_heads <= 16 else 4))
    add_colour_bar(bar, palette.signed, norm, palette, "bias")
    return figure
