"""Pictures of the learned position bias, head by head over distance, and of the gate that scales it over time."""

import math

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter
from torch import Tensor

from ..bias import BiasCurves, learned_bias
from ..tracing import Trace
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import draw_spectrogram, frame_edges
from .tracks import draw_tracks, time_locator, tracks_note

NEAR_MS = 160.0  # up to here the axis of distances is linear, beyond it logarithmic
TICKS_MS = (80.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0)
ROW_INCHES = 0.17  # of one head on a map


def bias_curves(trace: Trace, head: int, palette: Palette = LIGHT) -> Picture:
    """What every head adds to the logit of a key at each distance, before the gate; `head` stands out.

    Raises: IndexError for a head that is not there; ValueError for a model without relative positions.
    """
    curves = learned_bias(trace)
    chosen = range(trace.num_heads)[head]
    figure = Picture(11.5, 3.6 + ROW_INCHES * max(trace.num_heads, 6), palette)
    height = figure.get_figheight()
    map_share = ROW_INCHES * max(trace.num_heads, 6) / height
    lines = figure.add_axes((0.055, 0.5 / height + map_share + 0.12 / height, 0.86, 2.6 / height))
    heads = figure.add_axes((0.055, 0.5 / height, 0.86, map_share))
    bar = figure.add_axes((0.928, 0.5 / height, 0.011, map_share))
    _draw_curves(lines, curves, chosen, palette)
    dress(
        lines, palette, title=f"Learned bias over distance · head {chosen} among all heads", y="bias (added to a logit)"
    )
    norm = signed_norm(float(curves.bias.abs().max()))
    draw_heads_over_distance(heads, curves, palette, norm)
    dress(heads, palette, x="distance from query to key     ← key before · key after →", y="head")
    mark_head(heads, trace.num_heads, chosen, palette)
    clip_ms = 1000 * trace.model.config.frame_seconds * (trace.num_frames - 1)
    for axes in (lines, heads):
        scale_distances(axes, curves)
        for side in (-1, 1):
            axes.axvline(side * clip_ms, color=palette.ink, linewidth=0.9, linestyle=(0, (2, 3)))
    lines.tick_params(labelbottom=False)
    if clip_ms < float(curves.distances_ms[-1]):
        lines.annotate(
            "clip ends ", (clip_ms, 1), (0, -4), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
        )  # fmt: skip
    add_colour_bar(bar, palette.signed, norm, palette, "bias")
    return figure


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


def draw_heads_over_distance(axes: Axes, curves: BiasCurves, palette: Palette, norm: Normalize) -> None:
    """Fill axes with the biases: heads down, distance across."""
    distances = curves.distances_ms.numpy()
    half = (distances[1] - distances[0]) / 2
    columns = np.append(distances - half, distances[-1] + half)
    rows = np.arange(curves.bias.shape[0] + 1) - 0.5
    axes.pcolormesh(columns, rows, curves.bias.numpy(), cmap=palette.signed, norm=norm, rasterized=True)
    axes.set_ylim(rows[-1], rows[0])


def scale_distances(axes: Axes, curves: BiasCurves) -> None:
    """Linear where a step of 20 ms matters, logarithmic beyond; every tick with its unit."""
    reach = float(curves.distances_ms[-1])
    axes.set_xscale("symlog", linthresh=NEAR_MS, linscale=0.9)
    axes.set_xlim(-reach, reach)
    hop = float(curves.distances_ms[1] - curves.distances_ms[0])
    steps = np.arange(hop, NEAR_MS + 1, hop)
    ticks = [tick for tick in TICKS_MS if tick < reach]
    axes.xaxis.set_major_locator(FixedLocator([*(-tick for tick in reversed(ticks)), 0.0, *ticks]))
    axes.xaxis.set_minor_locator(FixedLocator([*-steps[::-1], *steps]))
    axes.xaxis.set_major_formatter(FuncFormatter(_name_distance))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=1.8, width=0.5, colors=axes.xaxis.get_tick_params()["color"])


def _name_distance(milliseconds: float, _: int | None = None) -> str:
    sign = "−" if milliseconds < 0 else ""
    size = abs(milliseconds)
    return f"{sign}{size:.0f} ms" if 0 < size < 1000 else f"{sign}{size / 1000:g} s" if size else "0"


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


def gate_track(trace: Trace, layer: int, head: int, palette: Palette = LIGHT) -> Picture:
    """What each frame multiplies the bias by, under the spectrogram: one head as a line, all heads as a map.

    Raises: IndexError for a layer or head that is not there.
    """
    gates = trace.gate(layer)
    layer, chosen = range(trace.num_layers)[layer], range(trace.num_heads)[head]
    map_inches = ROW_INCHES * max(trace.num_heads, 6)
    figure = Picture(11.5, 3.05 + map_inches, palette)
    height = figure.get_figheight()
    grid = figure.add_gridspec(
        3, 2, width_ratios=(1, 0.0128), height_ratios=(0.75, 1.1, map_inches),
        left=0.055, right=0.94, bottom=0.5 / height, top=1 - 0.35 / height, wspace=0.0345, hspace=0.2,
    )  # fmt: skip
    sound, line, heads, bar = (figure.add_subplot(grid[cell]) for cell in ((0, 0), (1, 0), (2, 0), (2, 1)))
    draw_spectrogram(sound, trace, palette)
    dress(sound, palette, title=f"Gate of layer {layer} · head {chosen} among all heads", y="kHz")
    norm = gate_norm(gates)
    _draw_gate(line, trace, gates[chosen], palette)
    draw_tracks(heads, trace, gates, palette.signed, norm, centre=1.0)
    dress(heads, palette, x="time (s)", y="head")
    mark_head(heads, trace.num_heads, chosen, palette)
    for axes in (sound, line):
        axes.tick_params(labelbottom=False)
        axes.xaxis.set_major_locator(time_locator())
    add_colour_bar(bar, palette.signed, norm, palette, "gate")
    note = tracks_note(*gates.shape, row_name="heads")
    figure.text(0.915, 1 - 0.22 / height, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def gate_norm(gates: Float[Tensor, "heads frames"]) -> Normalize:
    """Return the scale of gates: 0 to 2 around 1, which leaves the bias as it is; -1 to 3, ... where they need it."""
    return signed_norm(max(1, math.ceil(float((gates - 1).abs().max()))), centre=1.0)


def _draw_gate(axes: Axes, trace: Trace, gate: Float[Tensor, " frames"], palette: Palette) -> None:
    lowest, highest = min(0.0, float(gate.min())), max(2.0, float(gate.max()))
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(trace.frame_times.numpy(), gate.numpy(), color=palette.accent, linewidth=1.4)
    axes.set(xlim=frame_edges(trace), ylim=(lowest, highest + 0.06 * (highest - lowest)))
    dress(axes, palette, y="gate")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.annotate(
        "1 leaves the bias as it is", (1, 1), (-4, -3), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip
