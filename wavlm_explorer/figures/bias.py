"""Pictures of the learned position bias, head by head over distance, and of what each head prefers."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..bias import FAR_MS, FLAT, ZONES, BiasCurves, Preferences, coarse_bias, learned_bias, preferences
from ..buckets import BucketSettings, own_settings
from ..tracing import Trace
from ..wording import duration, signed
from .distances import NEAR_MS, scale_distances
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, add_colour_bar, dress, signed_norm

ROW_INCHES = 0.17  # of one head on a map
BAR_INCHES = 0.27  # of one head among bars
LEAST_HEADS = 6  # for which a picture has room


def bias_curves(trace: Trace, head: int, settings: BucketSettings | None = None, palette: Palette = LIGHT) -> Picture:
    """What every head adds to the logit of a key at each distance, before the gate; `head` stands out.

    settings: others than the model's own: how near a table of theirs comes to the bias of `head` is drawn over it.

    Raises: IndexError for a head that is not there; ValueError for a model without relative positions, and for
    settings that make no buckets.
    """
    curves = learned_bias(trace)
    chosen, map_inches = range(trace.num_heads)[head], ROW_INCHES * max(trace.num_heads, LEAST_HEADS)
    height = 3.6 + map_inches
    figure = Picture(11.5, height, palette)
    lines = figure.add_axes((0.055, (0.62 + map_inches) / height, 0.86, 2.6 / height))
    heads = figure.add_axes((0.055, 0.5 / height, 0.86, map_inches / height))
    bar = figure.add_axes((0.928, 0.5 / height, 0.011, map_inches / height))
    _draw_curves(lines, curves, chosen, palette)
    if settings and settings != own_settings(trace.model.config):
        _draw_coarse(lines, coarse_bias(trace, settings), chosen, settings, palette)
    dress(
        lines, palette, title=f"Learned bias over distance · head {chosen} among all heads", y="bias (added to a logit)"
    )
    norm = signed_norm(float(curves.bias.abs().max()))
    draw_heads_over_distance(heads, curves, palette, norm)
    dress(heads, palette, x="distance from query to key     ← key before · key after →", y="head")
    mark_head(heads, trace.num_heads, chosen, palette)
    for axes in (lines, heads):
        scale_distances(axes, curves.distances_ms)
        _mark_clip(axes, trace, palette)
    lines.tick_params(labelbottom=False)
    clip_ms = _clip_ms(trace)
    if clip_ms < float(curves.distances_ms[-1]):
        lines.annotate(
            "clip ends ", (clip_ms, 1), (0, -4), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
        )  # fmt: skip
    add_colour_bar(bar, palette.signed, norm, palette, "bias")
    return figure


def _clip_ms(trace: Trace) -> float:
    return 1000 * trace.model.config.frame_seconds * (trace.num_frames - 1)


def _mark_clip(axes: Axes, trace: Trace, palette: Palette) -> None:
    """Mark the largest distance in the clip, on both sides."""
    for side in (-1, 1):
        axes.axvline(side * _clip_ms(trace), color=palette.ink, linewidth=0.9, linestyle=(0, (2, 3)))


def _draw_curves(axes: Axes, curves: BiasCurves, chosen: int, palette: Palette) -> None:
    distances, biases = curves.distances_ms.numpy(), curves.bias.numpy()
    for index, bias in enumerate(biases):
        if index != chosen:
            axes.plot(distances, bias, color=palette.muted, linewidth=0.9, alpha=0.45)
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    near = abs(distances) <= NEAR_MS
    axes.plot(distances, biases[chosen], color=palette.accent, linewidth=2)
    axes.plot(distances[near], biases[chosen, near], "o", color=palette.accent, markersize=4)
    axes.yaxis.set_major_locator(MaxNLocator(6))


def _draw_coarse(axes: Axes, curves: BiasCurves, chosen: int, settings: BucketSettings, palette: Palette) -> None:
    sides = "" if settings.bidirectional else ", past only"
    axes.step(
        curves.distances_ms.numpy(), curves.bias[chosen].numpy(), where="mid", color=palette.contrast, linewidth=1.5,
        label=f"{settings.num_buckets} rows, max distance {settings.max_distance}{sides}: no nearer than this",
    )  # fmt: skip
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.005, 0.99), frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink
    )


def draw_heads_over_distance(axes: Axes, curves: BiasCurves, palette: Palette, norm: Normalize) -> None:
    """Fill axes with the biases: heads down, distance across."""
    distances = curves.distances_ms.numpy()
    half = (distances[1] - distances[0]) / 2
    columns = np.append(distances - half, distances[-1] + half)
    rows = np.arange(curves.bias.shape[0] + 1) - 0.5
    axes.pcolormesh(columns, rows, curves.bias.numpy(), cmap=palette.signed, norm=norm, rasterized=True)
    axes.set_ylim(rows[-1], rows[0])


def mark_head(axes: Axes, num_heads: int, chosen: int, palette: Palette) -> None:
    """Number the rows of a map of heads, and let the chosen one's number stand out."""
    step = 1 if num_heads <= 16 else 4
    axes.set_yticks([row for row in range(num_heads) if row % step == 0 or row == chosen])
    axes.tick_params(axis="y", length=0)
    for row, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        if row == chosen:
            label.set(color=palette.accent, fontweight="bold")
    for edge in (chosen - 0.5, chosen + 0.5):
        axes.axhline(edge, color=palette.ink, linewidth=1)


def head_peaks(trace: Trace, head: int, palette: Palette = LIGHT) -> Picture:
    """Where each head's bias peaks, on a bar over the distances beside it that get at least half that weight.

    Raises: IndexError for a head that is not there; ValueError for a model without relative positions.
    """
    figure, axes = _heads_down(trace, head, palette)
    title, x = "Where each head's bias peaks", "distance from query to key     ← key before · key after →"
    _draw_peaks(axes, preferences(trace), palette)
    dress(axes, palette, title=title, x=x, y="head")
    scale_distances(axes, learned_bias(trace).distances_ms)
    _mark_clip(axes, trace, palette)
    return figure


def head_shares(trace: Trace, head: int, palette: Palette = LIGHT) -> Picture:
    """Where the clip's middle frame would look if only position counted, head by head, and if nothing did.

    Raises: IndexError for a head that is not there; ValueError for a model without relative positions.
    """
    figure, axes = _heads_down(trace, head, palette)
    _draw_shares(axes, preferences(trace), palette)
    dress(axes, palette, x=f"share of the frame's attention (far: more than {duration(FAR_MS)} away)", y="head")
    title = "Where position alone lets a frame in mid-clip look"
    axes.set_title(title, loc="left", color=palette.ink, fontsize=TITLE_SIZE, pad=24)
    return figure


def _heads_down(trace: Trace, head: int, palette: Palette) -> tuple[Picture, Axes]:
    """A picture of half the page's width with a row for each head and one more."""
    chosen, rows_inches = range(trace.num_heads)[head], BAR_INCHES * (max(trace.num_heads, LEAST_HEADS) + 1)
    height = 1.15 + rows_inches
    figure = Picture(6.4, height, palette)
    axes = figure.add_axes((0.1, 0.5 / height, 0.87, rows_inches / height))
    axes.set_ylim(trace.num_heads + 0.6, -0.6)
    mark_head(axes, trace.num_heads, chosen, palette)
    return figure, axes


def _draw_peaks(axes: Axes, found: Preferences, palette: Palette) -> None:
    """A dot at each head's peak with its bias, on a bar over the distances that get half its weight or more."""
    for head, (peak_ms, peak, typical) in enumerate(zip(*(part.tolist() for part in found[:3]), strict=True)):
        if peak - typical < FLAT:
            axes.text(0, head, "no preference", ha="center", va="center", fontsize=LABEL_SIZE - 1, color=palette.muted)
            continue
        colour = palette.contrast if peak_ms < 0 else palette.accent if peak_ms > 0 else palette.ink
        axes.plot(found.half_ms[head].numpy(), (head, head), color=colour, linewidth=5, alpha=0.35)
        axes.plot(peak_ms, head, "o", color=colour, markersize=6)
        axes.annotate(
            signed(peak), (float(found.half_ms[head, 1]), head), (8, 0),
            textcoords="offset points", va="center", fontsize=LABEL_SIZE - 1, color=palette.ink,
        )  # fmt: skip
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)


def _draw_shares(axes: Axes, found: Preferences, palette: Palette) -> None:
    """A bar for each head, divided by ZONES, and one for attention that treats all frames alike."""
    shares = torch.cat([found.shares, found.even_shares[None]]).numpy()
    rows, left = np.arange(len(shares)), np.zeros(len(shares))
    past, future = palette.contrast, palette.accent
    for name, share, colour, alpha in zip(
        ZONES, shares.T, (past, past, palette.ink, future, future), (0.4, 0.9, 1, 0.9, 0.4), strict=True
    ):
        axes.barh(rows, share, left=left, height=0.72, color=colour, alpha=alpha, label=name, linewidth=0)
        left = left + share
    axes.text(
        -0.012, rows[-1], "evenly", ha="right", va="center", transform=axes.get_yaxis_transform(),
        fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip
    axes.axvline(0.5, color=palette.background, linewidth=1)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.015, 0.985), ncols=len(ZONES), frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, handlelength=1, handletextpad=0.5, columnspacing=1.2,
    )  # fmt: skip
