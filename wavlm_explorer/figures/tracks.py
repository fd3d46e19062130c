"""Rows over time: heads or channels down, seconds across, to be stacked under a spectrogram."""

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..tracing import Trace
from .reduction import max_pool, pooling_factor
from .time_axes import frame_edges

TRACK_ROWS = 128
TRACK_FRAMES = 1000


def pool_tracks(values: Float[Tensor, "rows frames"], centre: float = 0.0) -> Float[Tensor, "cells columns"]:
    """Reduce to at most TRACK_ROWS x TRACK_FRAMES cells, each the value furthest from `centre`."""
    rows, frames = values.shape
    factors = pooling_factor(rows, TRACK_ROWS), pooling_factor(frames, TRACK_FRAMES)
    return values if factors == (1, 1) else max_pool(values - centre, factors) + centre


def tracks_note(rows: int, frames: int, row_name: str = "channels") -> str:
    """Say what `pool_tracks` did; empty where it did nothing."""
    row_factor, frame_factor = pooling_factor(rows, TRACK_ROWS), pooling_factor(frames, TRACK_FRAMES)
    parts = [f"{row_factor} {row_name}"] * (row_factor > 1) + [f"{frame_factor} frames"] * (frame_factor > 1)
    return f"each cell is the largest of {' × '.join(parts)}" if parts else ""


def time_locator() -> MaxNLocator:
    """Round seconds, on an axis as wide as the page."""
    return MaxNLocator(10, steps=[1, 2, 5, 10])


def draw_tracks(
    axes: Axes, trace: Trace, values: Float[Tensor, "rows frames"], cmap: str, norm: Normalize, centre: float = 0.0
) -> None:
    """Draw rows, the first on top, over the seconds of the clip."""
    first, last = frame_edges(trace)
    rows, frames = values.shape
    pooled = pool_tracks(values, centre)
    end = first + pooled.shape[1] * pooling_factor(frames, TRACK_FRAMES) * trace.model.config.frame_seconds
    bottom = pooled.shape[0] * pooling_factor(rows, TRACK_ROWS) - 0.5  # the last cells may reach beyond the array
    extent = (first, end, bottom, -0.5)
    axes.imshow(pooled.numpy(), cmap=cmap, norm=norm, extent=extent, interpolation="nearest", aspect="auto")
    axes.set(xlim=(first, last), ylim=(rows - 0.5, -0.5))
    axes.xaxis.set_major_locator(time_locator())
