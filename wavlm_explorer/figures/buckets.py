"""Pictures of the bucket rule: the function over distance, and the rows that a clip reads."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from ..bias import BucketRule, bucket_rule, clip_buckets, signed_rows
from ..modules.positions import relative_position_buckets
from ..tracing import Trace
from .reduction import pooling_note
from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress
from .time_axes import draw_map, draw_spectrogram

SHADES = (0.16, 0.07, 0.0)  # of ink: the exact region, the logarithmic one, and beyond


def duration(milliseconds: float) -> str:
    """Write a time as people say it: "40 ms", "1.6 s"."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def bucket_function(trace: Trace, palette: Palette = LIGHT) -> Picture:
    """Which row of the bias table serves which distance, for keys before and after the query.

    Raises: ValueError for a config whose settings make no buckets.
    """
    config = trace.model.config
    rule, hop = bucket_rule(config), 1000 * config.frame_seconds
    figure = Picture(6.4, 5.0, palette)
    axes = figure.add_axes((0.1, 0.11, 0.87, 0.81))
    reach = float(rule.distances[-1]) * hop / 1000
    _shade_regions(axes, rule, hop / 1000, palette)
    _draw_rule(axes, rule, hop / 1000, palette)
    axes.set(xlim=(-reach, reach), ylim=(-0.03 * config.num_buckets, 1.03 * config.num_buckets))
    dress(
        axes, palette, title="Which row serves which distance",
        x="distance from query to key (s)     ← key before · key after →", y="row of the bias table",
    )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(9, integer=True))
    if rule.unused:
        _mark_unused(axes, rule, palette)
    _draw_near(axes, rule, hop, palette)
    _explain_regions(axes, rule, hop, palette)
    return figure


def _shade_regions(axes: Axes, rule: BucketRule, unit: float, palette: Palette) -> None:
    exact, last, reach = (frames * unit for frames in (rule.num_exact, rule.last_from, int(rule.distances[-1])))
    axes.axvspan(-exact, exact, color=palette.ink, alpha=SHADES[0], linewidth=0)
    for side in (-1, 1):
        axes.axvspan(side * exact, side * last, color=palette.ink, alpha=SHADES[1], linewidth=0)
        axes.axvspan(
            side * last, side * reach, facecolor="none", edgecolor=palette.line, hatch="///", linewidth=0, zorder=0
        )


def _draw_rule(axes: Axes, rule: BucketRule, unit: float, palette: Palette, width: float = 2.0) -> None:
    distances, rows = rule.distances.numpy() * unit, rule.buckets.numpy()
    past, future = distances <= 0, distances > 0
    axes.step(distances[past], rows[past], where="mid", color=palette.contrast, linewidth=width)
    axes.step(distances[future], rows[future], where="mid", color=palette.accent, linewidth=width)


def _mark_unused(axes: Axes, rule: BucketRule, palette: Palette) -> None:
    few = len(rule.unused) == 1
    text = f"row {rule.unused[0]} is never used" if few else f"{len(rule.unused)} rows are never used"
    axes.axhline(rule.unused[0], color=palette.muted, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(
        text, (0.985, rule.unused[0]), (0, -4), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip


def _draw_near(axes: Axes, rule: BucketRule, hop: float, palette: Palette) -> None:
    """Spell out the rows of the nearest distances, in the quarter of the picture where the function never goes."""
    near = axes.inset_axes((0.04, 0.7, 0.43, 0.095), zorder=3)
    centre, steps = len(rule.distances) // 2, min(3, rule.num_exact)
    for place in range(-steps, steps + 1):
        row, colour = int(rule.buckets[centre + place]), palette.contrast if place <= 0 else palette.accent
        near.add_patch(Rectangle((place - 0.5, 0), 1, 1, facecolor=palette.background, edgecolor=palette.line))
        near.text(place, 0.46, f"{row}", color=colour, fontsize=LABEL_SIZE, ha="center", va="center", fontweight="bold")
    near.set(xlim=(-steps - 0.5, steps + 0.5), ylim=(0, 1), yticks=[])
    dress(near, palette, x="distance (ms)")
    near.set_title(
        "near: every step has a row of its own", fontsize=LABEL_SIZE - 1, color=palette.ink, loc="left", pad=4
    )
    places = range(-steps, steps + 1)
    near.set_xticks(list(places), [f"{place * hop:.0f}".replace("-", "−") for place in places])
    near.tick_params(length=0)


def _explain_regions(axes: Axes, rule: BucketRule, hop: float, palette: Palette) -> None:
    last_exact, last = (rule.num_exact - 1) * hop, rule.last_from * hop
    texts = (
        f"exact: one row for each {hop:.0f} ms, to {duration(last_exact)}",
        f"logarithmic: ever wider rows, to {duration(last - hop)}",
        f"from {duration(last)} on all share the last row",
    )
    handles = [Patch(facecolor=palette.ink, alpha=alpha, label=text) for alpha, text in zip(SHADES, texts, strict=True)]
    handles[2].set(alpha=1, facecolor="none", edgecolor=palette.line, hatch="////", linewidth=0)
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(0.99, 0.03), fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, facecolor=palette.background, edgecolor=palette.line, framealpha=1, handlelength=1.6,
    )  # fmt: skip


def bucket_matrix(trace: Trace, palette: Palette = LIGHT) -> Picture:
    """Which row of the bias table each pair of frames of this clip reads.

    Raises: ValueError for a config whose settings make no buckets.
    """
    config = trace.model.config
    rows = relative_position_buckets(trace.num_frames, config.num_buckets, config.max_distance)
    side = config.num_buckets // 2
    cmap, norm = past_and_future(side, palette), Normalize(0.5 - side, side - 0.5)
    figure = Picture(6.4, 5.0, palette)
    grid = figure.add_gridspec(
        2, 2, width_ratios=(1, 0.045), height_ratios=(0.14, 1),
        left=0.105, right=0.73, bottom=0.11, top=0.92, wspace=0.06, hspace=0.03,
    )  # fmt: skip
    above, main, bar = (figure.add_subplot(grid[cell]) for cell in ((0, 0), (1, 0), (1, 1)))
    draw_spectrogram(above, trace, palette)
    dress(above, palette, title="The row that each pair of frames reads", y="kHz")
    above.tick_params(labelbottom=False)
    draw_map(main, trace, signed_rows(rows, config.num_buckets).float(), cmap, norm)
    dress(main, palette, x="key: the frame looked at (s)", y="query: the frame that looks (s)")
    figure.colorbar(ScalarMappable(norm, cmap), cax=bar)
    _label_rows(bar, trace, palette)
    figure.text(0.985, 0.935, pooling_note(trace.num_frames), ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def past_and_future(side: int, palette: Palette) -> ListedColormap:
    """One colour a row, for `signed_rows`: the past in one hue, the future in another, stronger when further."""
    background = np.array(to_rgb(palette.background))
    strength = np.linspace(0.12, 1, max(side - 1, 1))[:, None] ** 0.8
    past, future = (
        background + strength * (np.array(to_rgb(hue)) - background) for hue in (palette.contrast, palette.accent)
    )
    return ListedColormap([*past[::-1], to_rgb(palette.ink), *future])


def _label_rows(bar: Axes, trace: Trace, palette: Palette) -> None:
    """Say of the bar's rows which distance each serves; rows that this clip never reads turn pale."""
    config = trace.model.config
    rule, side, hop = bucket_rule(config), config.num_buckets // 2, 1000 * config.frame_seconds
    exact, last = duration(rule.num_exact * hop), f"{duration(rule.last_from * hop)} and more"
    marks = {
        1 - side: f"row {side - 1}: {last} back",
        -rule.num_exact: f"row {rule.num_exact}: {exact} back",
        0: "row 0: the query itself",
        rule.num_exact: f"row {side + rule.num_exact}: {exact} ahead",
        side - 1: f"row {2 * side - 1}: {last} ahead",
    }
    dress(bar, palette)
    bar.set_yticks(list(marks), [text.replace(": ", "\n") for text in marks.values()])
    bar.minorticks_off()
    reached = signed_rows(clip_buckets(trace), config.num_buckets)
    for edge, end in ((int(reached[0]) - 0.5, 0.5 - side), (int(reached[-1]) + 0.5, side - 0.5)):
        bar.axhspan(
            edge, end, facecolor=palette.background, alpha=0.7, edgecolor=palette.line, hatch="////", linewidth=0
        )
