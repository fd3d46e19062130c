"""Pictures of one row: what one frame finds in every key, and what one row of the bias table serves."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..bias import learned_bias
from ..tracing import Trace
from .bias import scale_distances
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import draw_spectrogram, frame_edges
from .tracks import draw_tracks, time_locator


def content_row(
    trace: Trace, content: Float[Tensor, " keys"], frame: int, title: str = "", palette: Palette = LIGHT
) -> Picture:
    """What one frame's query finds in every key, under the spectrogram: as a curve, and as the row of a map.

    content: q.k / sqrt(d) of that frame, before position is added.

    Raises: IndexError for a frame that is not there.
    """
    times, best = trace.frame_times.numpy(), int(content.argmax())
    figure = Picture(11.5, 4.2, palette)
    sound, curve, row = (figure.add_axes((0.065, bottom, 0.85, height)) for bottom, height in
                         ((0.72, 0.2), (0.245, 0.44), (0.125, 0.07)))  # fmt: skip
    draw_spectrogram(sound, trace, palette)
    dress(sound, palette, title=title, y="kHz")
    curve.axhline(0, color=palette.line, linewidth=0.8)
    curve.plot(times, content.numpy(), color=palette.ink, linewidth=1.2)
    curve.plot(times[best], float(content[best]), "o", color=palette.accent, markersize=6, label="the best key")
    dress(curve, palette, y="q·k / √d")
    norm = signed_norm(float(content.abs().max()))
    draw_tracks(row, trace, content[None], palette.signed, norm)
    row.set_yticks([])
    dress(row, palette, x="key: the frame looked at (s)")
    for axes in (sound, curve, row):
        axes.axvline(times[frame], color=palette.contrast, linewidth=1.4, label="the frame that asks")
        axes.set_xlim(frame_edges(trace))
        axes.xaxis.set_major_locator(time_locator())
        axes.tick_params(labelbottom=axes is row)
    curve.yaxis.set_major_locator(MaxNLocator(5))
    figure.legend(
        *curve.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.925, 1.0), ncols=2, frameon=False,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink,
    )  # fmt: skip
    add_colour_bar(figure.add_axes((0.928, 0.125, 0.011, 0.56)), palette.signed, norm, palette, "q·k / √d")
    return figure


def table_row(trace: Trace, head: int, served: Sequence[int], row: int, palette: Palette = LIGHT) -> Picture:
    """What one head's bias is at each distance, with all distances shaded that one row of the table serves.

    served: those distances in frames, in order, negative for keys before the query.

    Raises: ValueError for a model without relative positions; IndexError for a head that is not there.
    """
    curves, hop = learned_bias(trace), 1000 * trace.model.config.frame_seconds
    figure = Picture(11.5, 3.8, palette)
    axes = figure.add_axes((0.065, 0.15, 0.92, 0.74))
    distances, bias = curves.distances_ms.numpy(), curves.bias[head].numpy()
    axes.axvspan((served[0] - 0.5) * hop, (served[-1] + 0.5) * hop, color=palette.accent, alpha=0.22, linewidth=0)
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.step(distances, bias, where="mid", color=palette.muted, linewidth=1.2)
    inside = np.isin(np.arange(len(bias)) - len(bias) // 2, served)
    axes.plot(distances[inside], bias[inside], "o", color=palette.accent, markersize=5)
    dress(
        axes, palette, title=f"Bias of head {head} over distance · row {row} of the table is shaded",
        x="distance from query to key     ← key before · key after →", y="bias (added to a logit)",
    )  # fmt: skip
    scale_distances(axes, curves.distances_ms)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    return figure
