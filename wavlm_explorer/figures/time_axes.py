"""Axes in seconds: maps of frames, and the spectrogram beside them."""

from typing import Literal

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..spectrogram import DYNAMIC_RANGE_DB, spectrogram
from ..tracing import Trace
from .reduction import MAX_CELLS, max_pool, pooling_factor
from .style import Palette, dress

HIGHEST_KILOHERTZ = 8.0


def frame_edges(trace: Trace) -> tuple[float, float]:
    """Where the first frame's cell begins and the last one's ends, in seconds; cells are one hop wide."""
    half = trace.model.config.frame_seconds / 2
    return float(trace.frame_times[0]) - half, float(trace.frame_times[-1]) + half


def draw_map(
    axes: Axes,
    trace: Trace,
    values: Float[Tensor, "queries keys"],
    cmap: str | Colormap,
    norm: Normalize,
    cells: int = MAX_CELLS,
) -> None:
    """Draw queries (down) x keys (across) in seconds, max-pooled to at most `cells` along an axis.

    values: the whole map, or what an overview of at most `cells` made of it.
    """
    first, last = frame_edges(trace)
    factor = pooling_factor(trace.num_frames, cells)
    pooled = max_pool(values, factor) if len(values) == trace.num_frames else values
    end = first + len(pooled) * factor * trace.model.config.frame_seconds  # the last cell may reach beyond the clip
    extent = (first, end, end, first)
    axes.imshow(pooled.numpy(), cmap=cmap, norm=norm, extent=extent, interpolation="nearest", aspect="auto")
    axes.set(xlim=(first, last), ylim=(last, first))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))


def draw_spectrogram(axes: Axes, trace: Trace, palette: Palette, time: Literal["x", "y"] = "x") -> None:
    """Draw the sound along the same seconds as a map beside it: time across, or down."""
    decibels, _, times = spectrogram(trace.audio)
    half = float(times[1] - times[0]) / 2 if len(times) > 1 else 0.01
    begin, end = float(times[0]) - half, float(times[-1]) + half
    first, last = frame_edges(trace)
    norm = Normalize(-DYNAMIC_RANGE_DB, 0)
    if time == "x":
        extent = (begin, end, 0, HIGHEST_KILOHERTZ)
        axes.imshow(decibels.numpy(), cmap=palette.sound, norm=norm, extent=extent, origin="lower", aspect="auto")
        axes.set(xlim=(first, last), ylim=(0, HIGHEST_KILOHERTZ), yticks=[0, 4, 8])
        dress(axes, palette, y="kHz")
    else:
        extent = (HIGHEST_KILOHERTZ, 0, end, begin)
        axes.imshow(decibels.T.flip(1).numpy(), cmap=palette.sound, norm=norm, extent=extent, aspect="auto")
        axes.set(xlim=(HIGHEST_KILOHERTZ, 0), ylim=(last, first), xticks=[8, 4, 0])
        dress(axes, palette, x="kHz")
