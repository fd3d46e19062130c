"""A picture of one head down the layers: its map in each, and how far it looks."""

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..tracing import Trace
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm

MAPS_INCHES = 6.6  # the width of all small maps together


def head_by_layer(trace: Trace, layer: int, head: int, scale: str = "square root", palette: Palette = LIGHT) -> Picture:
    """One head's map in every layer, small, `layer` framed; and the measures that differ from layer to layer.

    Raises: IndexError for a head that is not there; ValueError for another scale.
    """
    columns = math.ceil(math.sqrt(1.4 * trace.num_layers))
    rows = math.ceil(trace.num_layers / columns)
    figure = Picture(11.5, min(MAPS_INCHES / columns, 2.3) * rows * 1.08 + 1.0, palette)
    height = figure.get_figheight()
    grid = figure.add_gridspec(
        rows,
        columns,
        left=0.01,
        right=0.01 + MAPS_INCHES / 11.5,
        bottom=0.62 / height,
        top=1 - 0.28 / height,
        wspace=0.06,
        hspace=0.2,
    )
    for index in range(trace.num_layers):
        axes = figure.add_subplot(grid[index // columns, index % columns])
        thumbnail = trace.layer_summary(index).thumbnails[head]
        axes.imshow(thumbnail.numpy(), cmap=palette.weights, norm=weight_norm(scale), interpolation="nearest")
        dress(axes, palette)
        axes.set(xticks=[], yticks=[])
        colour = palette.accent if index == layer else palette.muted
        axes.set_title(f"layer {index}", fontsize=LABEL_SIZE, pad=3, color=colour)
        if index == layer:
            for spine in axes.spines.values():
                spine.set(color=palette.accent, linewidth=2)
    bar = figure.add_axes((0.01, 0.4 / height, 0.25, 0.09 / height))
    add_colour_bar(bar, palette.weights, weight_norm(scale), palette, f"weight ({scale} scale)", horizontal=True)
    _draw_spans(figure, trace, layer, head, palette)
    return figure


def _draw_spans(figure: Picture, trace: Trace, layer: int, head: int, palette: Palette) -> None:
    """How far every head looks in every layer, one head standing out."""
    height = figure.get_figheight()
    axes = figure.add_axes((0.67, 0.5 / height, 0.315, 1 - 0.82 / height))
    spans, layers = trace.measures()["span_ms"].numpy() / 1000, np.arange(trace.num_layers)
    for other in range(trace.num_heads):
        if other != head:
            axes.plot(layers, spans[:, other], color=palette.muted, linewidth=0.9, alpha=0.45)
    axes.plot(layers, spans[:, head], color=palette.accent, linewidth=2, marker="o", markersize=3.5)
    axes.plot(layer, spans[layer, head], "o", color=palette.accent, markersize=8)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    dress(axes, palette, title=f"How far head {head} looks (others pale)", x="layer", y="mean distance (s)")
