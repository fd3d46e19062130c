"""Pictures of masks: a head's map without and with keys hidden, what that moves, and what added keys take."""

import numpy as np
from jaxtyping import Float
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import Patch
from torch import Tensor

from ..masks import MaskedAttention
from ..tracing import Trace
from .panels import add_legend, over_time
from .reduction import pooling_note
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm
from .time_axes import draw_map

MAP_CELLS = 360


def mask_maps(trace: Trace, attention: MaskedAttention, title: str, palette: Palette = LIGHT) -> Picture:
    """One head's map as it is, which keys the mask hides, and the map that is left."""
    figure = Picture(11.5, 4.7, palette)
    grid = figure.add_gridspec(
        2, 3, height_ratios=(1, 0.03), left=0.055, right=0.975, bottom=0.12, top=0.9, wspace=0.12, hspace=0.28
    )
    shown = ListedColormap([palette.background, palette.masked])
    weights = (palette.weights, weight_norm("square root"))
    panels = (
        (f"{title} · without a mask", attention.plain, *weights),
        ("hidden keys", attention.hidden.float(), shown, Normalize(0, 1)),
        ("with the mask", attention.masked, *weights),
    )
    for index, (name, values, cmap, norm) in enumerate(panels):
        axes = figure.add_subplot(grid[0, index])
        draw_map(axes, trace, values, cmap, norm, cells=MAP_CELLS)
        dress(axes, palette, title=name, x="key (s)", y="query (s)" if index == 0 else "")
        axes.tick_params(labelleft=index == 0)
        bar = figure.add_subplot(grid[1, index])
        if index == 1:
            bar.axis("off")
            handles = [Patch(facecolor=shown(0), edgecolor=palette.line, label="seen"),
                       Patch(color=shown(1), label="minus infinity is added to the logit")]  # fmt: skip
            bar.legend(
                handles=handles, loc="center", ncols=2, frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink
            )
        else:
            add_colour_bar(bar, *weights, palette, "weight (square root scale)", horizontal=True)
    note = pooling_note(trace.num_frames, MAP_CELLS)
    figure.text(0.975, 0.968, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def mask_moves(trace: Trace, attention: MaskedAttention, palette: Palette = LIGHT) -> Picture:
    """How much of each frame's attention had to find another place, and what its row sums to afterwards."""
    figure, axes = over_time(trace, "What the mask moves", palette)
    times = trace.frame_times.numpy()
    curves = (
        ("row's sum with the mask", attention.masked.sum(dim=-1), palette.ink, "--"),
        ("attention that lay on hidden keys", attention.moved, palette.accent, "-"),
    )
    for name, values, colour, dashes in curves:
        axes.plot(times, values.numpy(), dashes, color=colour, linewidth=1.6, label=name)
    axes.set(ylim=(-0.03, 1.08), yticks=[0, 0.25, 0.5, 0.75, 1])
    dress(axes, palette, x="query (s)", y="share of the attention")
    add_legend(axes, palette)
    return figure


def extra_keys(
    trace: Trace, weights: Float[Tensor, "queries 2"], attention: MaskedAttention, palette: Palette = LIGHT
) -> Picture:
    """How much attention the two added keys take from each frame, beside an even share.

    weights: such as `extra_key_weights` gives. attention: of the same mask, for how many keys a frame sees.
    """
    figure, axes = over_time(trace, "Demonstration: two keys more", palette)
    times, even = trace.frame_times.numpy(), 1 / ((~attention.hidden).sum(dim=-1) + 2)
    curves = (
        ("add_bias_kv", weights[:, 0], palette.accent, "-"),
        ("add_zero_attn", weights[:, 1], palette.contrast, "--"),
        ("an even share", even, palette.muted, ":"),
    )
    for name, values, colour, dashes in curves:
        axes.plot(times, values.numpy(), dashes, color=colour, linewidth=1.6, label=name)
    axes.set_yscale("function", functions=(_root, np.square))  # as the colours of maps
    axes.set(ylim=(0, 1.1 * max(float(weights.max()), float(even.max()))))
    dress(axes, palette, x="query (s)", y="weight (square root)")
    add_legend(axes, palette)
    return figure


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(values, 0, None))
