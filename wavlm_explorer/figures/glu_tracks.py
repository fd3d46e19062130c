"""Pictures of a gated linear unit over time: all its channels, and one of them, under the spectrogram."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..glu import CLOSED, gate_shares, rank_channels
from ..modules import GLUTerms
from ..tracing import Trace
from .glu import KIND_NAMES, kind_colours, percent
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import draw_spectrogram, frame_edges
from .tracks import draw_tracks, pool_tracks, time_locator, tracks_note

CLIPPED = 0.01  # share of the drawn cells that may lie beyond the ends of the scale
MAP_INCHES = 1.25
GAP_INCHES = 0.3


class Stack(NamedTuple):
    """Panels one below the other on one axis of seconds, the spectrogram on top."""

    figure: Picture
    panels: list[Axes]  # without the spectrogram


def glu_terms(trace: Trace, terms: GLUTerms, title: str = "GLU", palette: Palette = LIGHT) -> Picture:
    """How closed each frame is, and value, gate and output of all channels, each map on a scale of its own.

    Channels are in the order of `rank_channels`, the most often closed on top.

    terms: [frames, channels] each, such as `trace.glu(layer)`.
    """
    order = rank_channels(terms).order
    figure, (frames, *maps) = _stack(trace, title, palette, (0.85, *[MAP_INCHES] * 3))
    _draw_frames(frames, trace, terms, palette)
    panels = {"value": terms.value, "gate": terms.gate, "output = value × gate": terms.output}
    for axes, (name, values) in zip(maps, panels.items(), strict=True):
        rows = values.T[order]
        cmap, norm = gate_scale(rows, palette) if name == "gate" else (palette.signed, signed_norm(_reach(rows)))
        draw_tracks(axes, trace, rows, cmap, norm)
        dress(axes, palette, x="time (s)" if axes is maps[-1] else "", y="channels by rank")
        axes.set_title(name, loc="left", fontsize=LABEL_SIZE, color=palette.ink, pad=4)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        box = axes.get_position()
        bar = figure.add_axes((0.928, box.y0, 0.011, box.height))
        add_colour_bar(bar, cmap, norm, palette, name.partition(" ")[0])
    note = tracks_note(terms.gate.shape[1], terms.gate.shape[0])
    notes = "; ".join(part for part in (note, "the strongest 1 % are clipped") if part)
    figure.text(0.915, 0.2 / figure.get_figheight(), notes, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def glu_channel(
    trace: Trace, terms: GLUTerms, channel: int, frame: int, title: str = "GLU", palette: Palette = LIGHT
) -> Picture:
    """One channel over time: its gate by what it does, and its value beside what goes on; the frame is marked.

    Raises: IndexError for a channel or frame that is not there.
    """
    figure, (gates, values) = _stack(trace, title, palette, (1.1, 1.1))
    times = trace.frame_times.numpy()
    value, gate, output = (term[:, channel].numpy() for term in (terms.value, terms.gate, terms.output))
    _draw_gate(gates, times, gate, palette)
    values.plot(times, value, color=palette.muted, linewidth=1.1, label="value")
    values.plot(times, output, color=palette.ink, linewidth=1.6, label="output = value × gate")
    values.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    dress(gates, palette, y="gate")
    dress(values, palette, x="time (s)", y="value, output")
    for axes in (gates, values):
        _add_legend(axes, palette)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    for axes in figure.axes:
        axes.axvline(float(times[frame]), color=palette.ink, linewidth=1, linestyle=(0, (4, 2)), zorder=5)
    return figure


def gate_scale(gates: Float[Tensor, "channels frames"], palette: Palette) -> tuple[str, Normalize]:
    """Return map and scale for gates: where none can be negative, nothing is black; else zero is the middle."""
    reach = _reach(gates)
    if float(gates.min()) >= 0:
        return palette.weights, Normalize(0, max(1.0, reach), clip=True)
    return palette.signed, signed_norm(reach)


def _reach(values: Float[Tensor, "channels frames"]) -> float:
    """How far a scale must reach from zero to hold all cells drawn but the strongest 1 %."""
    return float(pool_tracks(values).abs().flatten().quantile(1 - CLIPPED))


def _stack(trace: Trace, title: str, palette: Palette, inches: tuple[float, ...]) -> Stack:
    """A picture with the spectrogram and below it a panel of each height."""
    height = 1.68 + sum(inches) + GAP_INCHES * len(inches)
    figure = Picture(11.5, height, palette)
    sound = figure.add_axes((0.055, 1 - 1.15 / height, 0.86, 0.75 / height))
    draw_spectrogram(sound, trace, palette)
    dress(sound, palette, title=title, y="kHz")
    panels, top = [], 1.15
    for size in inches:
        top += GAP_INCHES + size
        panels.append(figure.add_axes((0.055, 1 - top / height, 0.86, size / height)))
    for axes in (sound, *panels):
        axes.set_xlim(frame_edges(trace))
        axes.xaxis.set_major_locator(time_locator())
        axes.tick_params(labelbottom=False)
    panels[-1].tick_params(labelbottom=True)
    return Stack(figure, panels)


def _draw_frames(axes: Axes, trace: Trace, terms: GLUTerms, palette: Palette) -> None:
    """The share of each frame's channels that are closed, open, and turned."""
    pairs = zip(gate_shares(terms.gate, dim=1), KIND_NAMES, kind_colours(palette), strict=True)
    for share, name, colour in pairs:
        axes.plot(trace.frame_times.numpy(), share.numpy(), color=colour, linewidth=1.6, label=name)
    axes.set_ylim(0, None)
    axes.yaxis.set_major_formatter(percent)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_title("each frame's gates", loc="left", fontsize=LABEL_SIZE, color=palette.ink, pad=4)
    dress(axes, palette, y="channels")
    _add_legend(axes, palette)


def _draw_gate(axes: Axes, times: np.ndarray, gate: np.ndarray, palette: Palette) -> None:
    """A gate as a line; the closed band behind it, and what lies beyond the band filled to its edge."""
    closed, opened, turned = kind_colours(palette)
    axes.axhspan(-CLOSED, CLOSED, color=closed, alpha=0.28, linewidth=0, zorder=0, label=KIND_NAMES[0])
    beyond = ((opened, KIND_NAMES[1], CLOSED, gate >= CLOSED), (turned, KIND_NAMES[2], -CLOSED, gate <= -CLOSED))
    for colour, name, edge, kind in beyond:
        axes.fill_between(
            times, gate, edge, where=kind.tolist(), color=colour, alpha=0.45, linewidth=0, label=name, interpolate=True
        )
    axes.plot(times, gate, color=palette.ink, linewidth=1.2)


def _add_legend(axes: Axes, palette: Palette) -> None:
    """Name the curves in a line above them, at the right."""
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.005, 0.955), ncols=3, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, handlelength=1.4, columnspacing=1.2,
    )  # fmt: skip
