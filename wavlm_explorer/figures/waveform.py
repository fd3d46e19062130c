"""Pictures of how a sound becomes frames: the waveform above the frames, and the samples that two frames see."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..audio import SAMPLE_RATE
from ..tracing import Trace
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import frame_edges
from .tracks import draw_tracks, pool_tracks, time_locator, tracks_note

CLIPPED = 0.01  # share of the cells that may lie beyond the ends of the scale
COLUMNS = 1200  # more than a page shows; of each the loudest extremes are drawn
MARGIN_SECONDS = 0.03  # of sound on either side of the two windows


def waveform_frames(trace: Trace, frame: int, palette: Palette = LIGHT) -> Picture:
    """The waveform, and below it the frames that enter layer 0: one column of numbers each; `frame` is marked.

    Raises: IndexError for a frame that is not there.
    """
    time, values = float(trace.frame_times[frame]), trace.hidden_states[0].T  # [width, frames]
    figure = Picture(11.5, 4.3, palette)
    wave, columns = figure.add_axes((0.065, 0.68, 0.85, 0.24)), figure.add_axes((0.065, 0.115, 0.85, 0.5))
    _draw_wave(wave, trace, palette)
    dress(wave, palette, title="The sound: 16,000 samples each second", y="sample")
    norm = signed_norm(float(pool_tracks(values).abs().flatten().quantile(1 - CLIPPED)))
    draw_tracks(columns, trace, values, palette.signed, norm)
    dress(columns, palette, x="time (s)", y="numbers of a frame")
    columns.set_title("Its frames: a column of numbers each 20 ms", loc="left", fontsize=LABEL_SIZE, pad=4,
                      color=palette.ink)  # fmt: skip
    for axes in (wave, columns):
        axes.set_xlim(frame_edges(trace))
        axes.xaxis.set_major_locator(time_locator())
        axes.axvline(time, color=palette.contrast, linewidth=1.6)
    wave.tick_params(labelbottom=False)
    wave.set_title(f"frame {frame}, at {time:.2f} s", loc="right", fontsize=LABEL_SIZE, color=palette.contrast, pad=6)
    add_colour_bar(figure.add_axes((0.928, 0.115, 0.011, 0.5)), palette.signed, norm, palette, "value")
    note = tracks_note(*values.shape, row_name="numbers")
    columns.set_title(note, loc="right", fontsize=LABEL_SIZE - 1, pad=4, color=palette.muted)
    return figure


def _draw_wave(axes: Axes, trace: Trace, palette: Palette) -> None:
    """The extremes of as many stretches as there are columns on the screen."""
    samples = trace.audio.samples
    edges = np.linspace(0, len(samples), min(COLUMNS, len(samples)) + 1).astype(int)[:-1]
    lowest, highest = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    times = trace.audio.start + edges / SAMPLE_RATE
    axes.fill_between(times, lowest, highest, color=palette.ink, linewidth=0.6, step="post")
    reach = 1.05 * float(np.abs(samples).max()) or 1.0
    axes.set_ylim(-reach, reach)
    axes.yaxis.set_major_locator(MaxNLocator(3, symmetric=True))


def frame_windows(trace: Trace, frame: int, other: int, palette: Palette = LIGHT) -> Picture:
    """The samples around two frames, what each of the two sees, and the samples that both see.

    Raises: IndexError for a frame that is not there.
    """
    config, audio = trace.model.config, trace.audio
    half, hop = config.receptive_field_samples / SAMPLE_RATE / 2, config.frame_seconds
    centres = [float(trace.frame_times[index]) for index in (frame, other)]
    first, last = min(centres) - half - MARGIN_SECONDS, max(centres) + half + MARGIN_SECONDS
    figure = Picture(11.5, 3.9, palette)
    axes = figure.add_axes((0.065, 0.135, 0.92, 0.6))
    times = audio.start + np.arange(len(audio.samples)) / SAMPLE_RATE
    shown = (times >= first) & (times <= last)
    axes.plot(times[shown], audio.samples[shown], color=palette.ink, linewidth=0.9)
    reach = 1.1 * float(np.abs(audio.samples[shown]).max()) or 1.0
    axes.set(xlim=(first, last), ylim=(-reach, reach))
    for index, (centre, colour) in enumerate(zip(centres, (palette.accent, palette.contrast), strict=True)):
        axes.axvspan(centre - half, centre + half, color=colour, alpha=0.16, linewidth=0)
        axes.axvline(centre, color=colour, linewidth=1.2)
        name = f"frame {(frame, other)[index]} sees {2000 * half:.0f} ms"
        _draw_bracket(axes, centre - half, centre + half, 1.04 + 0.13 * index, name, colour)
    apart = f"{abs(other - frame)} × {1000 * hop:.0f} ms from centre to centre"
    _draw_bracket(axes, centres[0], centres[1], 1.3, apart, palette.muted)
    dress(axes, palette, x="time (s)", y="sample")
    return figure


def _draw_bracket(axes: Axes, first: float, last: float, height: float, name: str, colour: str) -> None:
    """A double arrow above the axes, with its name beside it; `height` in parts of the axes' own."""
    axes.annotate(
        "", (first, height), (last, height), xycoords=("data", "axes fraction"), annotation_clip=False,
        arrowprops={"arrowstyle": "|-|, widthA=0.25, widthB=0.25", "color": colour, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    axes.annotate(
        name, (max(first, last), height), (8, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
        va="center", fontsize=LABEL_SIZE, color=colour, annotation_clip=False,
    )  # fmt: skip


def heard_samples(
    trace: Trace, frame: int, shares: Float[Tensor, " samples"], begin: int, palette: Palette = LIGHT
) -> Picture:
    """How strongly one frame answers to each sample around it, as `hearing.sensitivity` tells.

    begin: which sample of the clip the first of `shares` is.

    Raises: IndexError for a frame that is not there.
    """
    half = trace.model.config.receptive_field_samples / SAMPLE_RATE / 2
    centre = float(trace.frame_times[frame])
    figure = Picture(11.5, 2.7, palette)
    axes = figure.add_axes((0.065, 0.19, 0.92, 0.66))
    times = 1000 * (trace.audio.start + (begin + np.arange(len(shares)) + 0.5) / SAMPLE_RATE - centre)
    axes.axvspan(-1000 * half, 1000 * half, color=palette.accent, alpha=0.16, linewidth=0)
    axes.fill_between(times, 100 * shares.numpy(), color=palette.accent, linewidth=0, step="mid")
    axes.set(xlim=(times[0], times[-1]), ylim=(0, None))
    dress(
        axes, palette, title=f"How strongly frame {frame} answers to each sample",
        x="time from the frame's centre (ms)", y="share of the answer (%)",
    )  # fmt: skip
    return figure
