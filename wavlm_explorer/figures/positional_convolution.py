"""Pictures of the positional convolution: what its kernel sees, what it adds, and what a wrong cut changes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..positional_convolution import Kernel, PositionalPass
from ..tracing import Trace
from .panels import HEIGHT_INCHES, add_legend, over_time
from .style import LIGHT, TITLE_SIZE, Palette, Picture, dress
from .time_axes import frame_edges


def positional_kernel(trace: Trace, kernel: Kernel, frame: int, palette: Palette = LIGHT) -> Picture:
    """The kernel's energy by distance; what meets nothing but padding at this frame is drawn pale.

    Raises: IndexError for a frame that is not there.
    """
    frame, hop = range(trace.num_frames)[frame], 1000 * trace.model.config.frame_seconds
    distances, places = hop * kernel.distances.numpy(), frame + kernel.distances.numpy()
    inside = (places >= 0) & (places < trace.num_frames)
    figure = Picture(11.5, HEIGHT_INCHES, palette)
    figure.text(0.05, 0.925, f"What the kernel sees at frame {frame}", color=palette.ink, fontsize=TITLE_SIZE)
    axes = figure.add_axes((0.05, 0.14, 0.935, 0.67))
    for taps, colour, name in ((inside, palette.accent, "meets the clip"), (~inside, palette.line, "meets padding")):
        if taps.any():
            axes.bar(distances[taps], 100 * kernel.energy.numpy()[taps], 0.85 * hop, color=colour, label=name)
    axes.axvline(0, color=palette.contrast, linewidth=1.2, zorder=3)
    axes.set_xlim(distances[0] - hop, distances[-1] + hop)
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
    dress(axes, palette, x="distance from the frame (ms)     ← before · after →", y="share of the kernel's energy (%)")
    add_legend(axes, palette)
    return figure


def positional_sizes(
    trace: Trace, passed: PositionalPass, kernel: Kernel, frame: int, palette: Palette = LIGHT
) -> Picture:
    """How large each frame is, and how large what the convolution adds to it; shaded where the kernel meets padding.

    Raises: IndexError for a frame that is not there.
    """
    figure, axes = over_time(trace, "How large is what is added", palette, frame)
    times = trace.frame_times.numpy()
    axes.plot(times, passed.input_size.numpy(), color=palette.muted, linewidth=1.5, label="what enters")
    axes.plot(times, passed.added_size.numpy(), color=palette.accent, linewidth=1.5, label="what is added")
    _shade_ends(axes, trace, kernel, palette)
    axes.set_ylim(bottom=0)
    dress(axes, palette, x="time (s)", y="root mean square")
    add_legend(axes, palette)
    return figure


def positional_shift(trace: Trace, passed: PositionalPass, frame: int, palette: Palette = LIGHT) -> Picture:
    """How much changes in every frame when the surplus is cut from the wrong end.

    Raises: IndexError for a frame that is not there.
    """
    figure, axes = over_time(trace, "Cut at the wrong end: how much changes", palette, frame)
    for name, change, colour in (
        ("what is added", passed.change_of_added, palette.accent),
        ("what enters layer 0", passed.change_of_entering, palette.contrast),
    ):
        axes.plot(trace.frame_times.numpy(), 100 * change.numpy(), color=colour, linewidth=1.5, label=name)
    axes.set_ylim(bottom=0)
    dress(axes, palette, x="time (s)", y="relative change (%)")
    add_legend(axes, palette)
    return figure


def _shade_ends(axes: Axes, trace: Trace, kernel: Kernel, palette: Palette) -> None:
    """Shade the frames whose kernel hangs over an end of the clip."""
    first, last = frame_edges(trace)
    hop = trace.model.config.frame_seconds
    before, after = -int(kernel.distances[0]), int(kernel.distances[-1])
    spans = np.array([[first, first + before * hop], [last - after * hop, last]]).clip(first, last)
    for begin, end in spans:
        axes.axvspan(begin, end, color=palette.ink, alpha=0.06, linewidth=0, zorder=0)
