"""Half a page: curves under the spectrogram, on one axis of seconds, named in a line above them."""

import math

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..tracing import Trace
from .style import LABEL_SIZE, Palette, Picture, dress
from .time_axes import draw_spectrogram, frame_edges

WIDTH_INCHES = 5.75  # two pictures side by side fill the page
HEIGHT_INCHES = 3.5


def over_time(
    trace: Trace, title: str, palette: Palette, frame: int | None = None, seconds: float = math.inf
) -> tuple[Picture, Axes]:
    """A picture with the spectrogram on top and room below, on one axis of seconds.

    frame: marked on both. seconds: how much of the clip is shown, with the frame (else its beginning) inside.

    Raises: IndexError for a frame that is not there.
    """
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    sound, axes = figure.add_axes((0.1, 0.76, 0.87, 0.14)), figure.add_axes((0.1, 0.14, 0.87, 0.50))
    draw_spectrogram(sound, trace, palette)
    sound.tick_params(labelbottom=False)
    dress(sound, palette, title=title, y="kHz")
    dress(axes, palette, x="time (s)")
    first, last = frame_edges(trace)
    time = first if frame is None else float(trace.frame_times[frame])
    begin = max(first, min(time - seconds / 2, last - seconds))
    for panel in (sound, axes):
        panel.set_xlim(begin, min(last, begin + seconds))
        panel.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        if frame is not None:
            panel.axvline(time, color=palette.contrast, linewidth=1.2, zorder=1)
    return figure, axes


def add_legend(axes: Axes, palette: Palette, title: str | None = None) -> None:
    """Name the curves in a line above them; a title stands before the first name."""
    handles, labels = axes.get_legend_handles_labels()
    if title:
        labels[0] = f"{title} {labels[0]}"
    axes.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=len(labels), frameon=False,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handlelength=1.8, columnspacing=1.2,
    )  # fmt: skip
