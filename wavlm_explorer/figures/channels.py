"""A picture of a gated linear unit at one moment: how much of it is shut, and what becomes of its largest values."""

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..glu import gate_shares
from ..modules import GLUTerms
from ..tracing import Trace
from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress
from .time_axes import draw_spectrogram, frame_edges
from .tracks import time_locator

CHANNELS = 24  # the largest values of the frame


def glu_frame(trace: Trace, terms: GLUTerms, frame: int, title: str = "GLU", palette: Palette = LIGHT) -> Picture:
    """How many channels are shut over the clip, and value x gate = output for the largest values of one frame.

    terms: [frames, channels] each, such as `trace.glu(layer)`.

    Raises: IndexError for a frame that is not there.
    """
    figure, time = Picture(11.5, 5.0, palette), float(trace.frame_times[frame])
    sound, track, bars = (figure.add_axes((0.065, bottom, 0.92, height)) for bottom, height in
                          ((0.8, 0.13), (0.56, 0.2), (0.105, 0.29)))  # fmt: skip
    draw_spectrogram(sound, trace, palette)
    dress(sound, palette, title=title, y="kHz")
    shares = gate_shares(terms.gate, dim=1).closed.numpy()
    track.plot(trace.frame_times.numpy(), shares, color=palette.ink, linewidth=1.2)
    track.plot(time, shares[frame], "o", color=palette.accent, markersize=6)
    track.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    track.yaxis.set_major_locator(MaxNLocator(4))
    dress(track, palette, x="time (s)", y="channels shut")
    for axes in (sound, track):
        axes.axvline(time, color=palette.contrast, linewidth=1.4)
        axes.set_xlim(frame_edges(trace))
        axes.xaxis.set_major_locator(time_locator())
    sound.tick_params(labelbottom=False)
    order = terms.value[frame].abs().argsort(descending=True, stable=True)[:CHANNELS]
    places = np.arange(len(order))
    bars.bar(places, terms.value[frame, order].numpy(), 0.8, color=palette.line, label="value")
    bars.bar(places, terms.output[frame, order].numpy(), 0.45, color=palette.accent, label="output = value × gate")
    bars.axhline(0, color=palette.muted, linewidth=0.8)
    gates = [f"{gate:.1f}".replace("-0.0", "0.0").replace("-", "−") for gate in terms.gate[frame, order].tolist()]
    bars.set_xticks(places, gates)
    bars.set_xlim(-0.6, len(order) - 0.4)
    dress(bars, palette, x=f"gate of each channel: the {len(order)} largest values of frame {frame}", y="value, output")
    bars.legend(
        loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink,
    )  # fmt: skip
    return figure
