"""Pictures of the bucket rule: the function over distance, and the rows that a clip reads."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..buckets import BucketRule, BucketSettings, bucket_rule, clip_distances, own_settings, signed_rows
from ..modules.positions import distance_buckets
from ..tracing import Trace
from ..wording import duration
from .distances import scale_distances
from .reduction import MAX_CELLS, pooling_factor
from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress
from .time_axes import draw_map, draw_spectrogram

SHADES = (0.16, 0.07, 0.0)  # of ink: the exact region, the logarithmic one, and beyond


def bucket_function(trace: Trace, settings: BucketSettings | None = None, palette: Palette = LIGHT) -> Picture:
    """Which row of the bias table serves which distance, for keys before and after the query.

    settings: the model's own if not given; others are drawn over the model's own.

    Raises: ValueError for settings that make no buckets.
    """
    config, hop = trace.model.config, 1000 * trace.model.config.frame_seconds
    own = own_settings(config)
    settings = settings or own
    rule, others = bucket_rule(settings), [own] * (config.relative_position_embedding and own != settings)
    reach = max(int(bucket_rule(each).distances[-1]) for each in (settings, *others))
    distances = torch.arange(-reach, reach + 1)
    figure = Picture(6.4, 5.0, palette)
    axes = figure.add_axes((0.1, 0.22, 0.87, 0.7))
    _shade_regions(axes, rule, settings, hop, palette)
    for other in others:
        label = f"the model's own: {other.num_buckets} rows, to {duration(other.max_distance * hop)}"
        style = {"linewidth": 1.2, "linestyle": (0, (4, 2)), "alpha": 0.75}
        _draw_rule(axes, distances, other, hop, (palette.ink, palette.ink), label=label, **style)
    _draw_rule(axes, distances, settings, hop, (palette.contrast, palette.accent), linewidth=2)
    highest = max(each.num_buckets for each in (settings, *others))
    axes.set(ylim=(-0.03 * highest, 1.03 * highest))
    dress(
        axes, palette, title="Which row serves which distance",
        x="distance from query to key     ← key before · key after →", y="row of the bias table",
    )  # fmt: skip
    scale_distances(axes, distances * hop)
    axes.yaxis.set_major_locator(MaxNLocator(9, integer=True))
    if rule.unused:
        _mark_unused(axes, rule, palette)
    _explain_regions(axes, rule, settings, hop, palette)
    return figure


def _shade_regions(axes: Axes, rule: BucketRule, settings: BucketSettings, hop: float, palette: Palette) -> None:
    exact, last = settings.num_exact * hop, rule.last_from * hop
    far = 1e9 * hop  # beyond every picture
    for side in (-1, 1) if settings.bidirectional else (-1,):
        axes.axvspan(0, side * exact, color=palette.ink, alpha=SHADES[0], linewidth=0)
        axes.axvspan(side * exact, side * last, color=palette.ink, alpha=SHADES[1], linewidth=0)
        axes.axvspan(
            side * last, side * far, facecolor="none", edgecolor=palette.line, hatch="///", linewidth=0, zorder=0
        )


def _draw_rule(
    axes: Axes,
    distances: Int[Tensor, " distances"],
    settings: BucketSettings,
    hop: float,
    colours: tuple[str, str],
    label: str = "",
    **style: Any,
) -> None:
    """Draw the past, which a legend may name, and the future."""
    rows = distance_buckets(distances, *settings)
    for part, colour, name in zip((distances <= 0, distances > 0), colours, (label, ""), strict=True):
        axes.step(distances[part].numpy() * hop, rows[part].numpy(), where="mid", color=colour, label=name, **style)


def _mark_unused(axes: Axes, rule: BucketRule, palette: Palette) -> None:
    few = len(rule.unused) == 1
    text = f"row {rule.unused[0]} is never used" if few else f"{len(rule.unused)} rows are never used"
    axes.axhline(rule.unused[0], color=palette.muted, linewidth=0.8, linestyle=(0, (1, 2)))
    axes.annotate(
        text, (0.985, rule.unused[0]), (0, -4), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip


def _explain_regions(axes: Axes, rule: BucketRule, settings: BucketSettings, hop: float, palette: Palette) -> None:
    last = rule.last_from * hop
    texts = (
        f"exact: one row for each {hop:.0f} ms, to {duration((settings.num_exact - 1) * hop)}",
        f"logarithmic: ever wider rows, to {duration(last - hop)}",
        f"from {duration(last)} on all share the last row",
    )
    handles = [Patch(facecolor=palette.ink, alpha=alpha, label=text) for alpha, text in zip(SHADES, texts, strict=True)]
    handles[2].set(alpha=1, facecolor="none", edgecolor=palette.line, hatch="////", linewidth=0)
    lines, _ = axes.get_legend_handles_labels()
    axes.legend(
        handles=[*handles, *lines], loc="upper left", bbox_to_anchor=(-0.02, -0.13), ncols=2, frameon=False,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handlelength=1.6,
    )  # fmt: skip


def bucket_matrix(trace: Trace, settings: BucketSettings | None = None, palette: Palette = LIGHT) -> Picture:
    """Which row of a bias table each pair of frames of this clip reads.

    settings: the model's own if not given.

    Raises: ValueError for settings that make no buckets.
    """
    settings = settings or own_settings(trace.model.config)
    cmap, norm = _row_colours(settings, palette)
    figure = Picture(6.4, 5.0, palette)
    grid = figure.add_gridspec(
        2, 2, width_ratios=(1, 0.045), height_ratios=(0.14, 1),
        left=0.105, right=0.73, bottom=0.11, top=0.92, wspace=0.06, hspace=0.03,
    )  # fmt: skip
    above, main, bar = (figure.add_subplot(grid[cell]) for cell in ((0, 0), (1, 0), (1, 1)))
    draw_spectrogram(above, trace, palette)
    dress(above, palette, title="The row that each pair of frames reads", y="kHz")
    above.tick_params(labelbottom=False)
    frames = torch.arange(
        0, trace.num_frames, pooling_factor(trace.num_frames, MAX_CELLS)
    )  # of long clips some will do
    rows = distance_buckets(frames[None, :] - frames[:, None], *settings)
    draw_map(main, trace, signed_rows(rows, settings).float(), cmap, norm)
    dress(main, palette, x="key: the frame looked at (s)", y="query: the frame that looks (s)")
    figure.colorbar(ScalarMappable(norm, cmap), cax=bar)
    _label_rows(bar, trace, settings, palette)
    return figure


def _row_colours(settings: BucketSettings, palette: Palette) -> tuple[ListedColormap, Normalize]:
    """A colour for each of `signed_rows`; where the whole future shares row 0, it is pale."""
    side = settings.rows_per_side
    cmap = past_and_future(side, palette)
    if settings.bidirectional:
        return cmap, Normalize(0.5 - side, side - 0.5)
    return ListedColormap([*np.asarray(cmap.colors)[: side - 1], to_rgb(palette.line)]), Normalize(0.5 - side, 0.5)


def past_and_future(side: int, palette: Palette) -> ListedColormap:
    """One colour a row, for `signed_rows`: the past in one hue, the future in another, stronger when further."""
    background = np.array(to_rgb(palette.background))
    strength = np.linspace(0.12, 1, max(side - 1, 1))[:, None] ** 0.8
    past, future = (
        background + strength * (np.array(to_rgb(hue)) - background) for hue in (palette.contrast, palette.accent)
    )
    return ListedColormap([*past[::-1], to_rgb(palette.ink), *future])


def _label_rows(bar: Axes, trace: Trace, settings: BucketSettings, palette: Palette) -> None:
    """Say of the bar's rows which distance each serves; rows that this clip never reads turn pale."""
    rule, side, hop = bucket_rule(settings), settings.rows_per_side, 1000 * trace.model.config.frame_seconds
    exact, last = duration(settings.num_exact * hop), f"{duration(rule.last_from * hop)} and more"
    marks = {
        1 - side: f"row {side - 1}: {last} back",
        -settings.num_exact: f"row {settings.num_exact}: {exact} back",
        0: "row 0: the query itself" + ("" if settings.bidirectional else "\nand all after it"),
    }
    if settings.bidirectional:
        marks |= {
            settings.num_exact: f"row {side + settings.num_exact}: {exact} ahead",
            side - 1: f"row {2 * side - 1}: {last} ahead",
        }
    dress(bar, palette)
    bar.set_yticks(list(marks), [text.replace(": ", "\n") for text in marks.values()])
    bar.minorticks_off()
    reached = signed_rows(distance_buckets(clip_distances(trace.num_frames), *settings), settings)
    lowest, highest = sorted(bar.get_ylim())
    for edge, end in ((int(reached[0]) - 0.5, lowest), (int(reached[-1]) + 0.5, highest)):
        bar.axhspan(
            edge, end, facecolor=palette.background, alpha=0.7, edgecolor=palette.line, hatch="////", linewidth=0
        )
