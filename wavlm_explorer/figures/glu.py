"""Pictures of a gated linear unit: its value, gate and output over time, and how open its gates are."""

import math
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from torch import Tensor

from ..modules import GLUTerms
from ..tracing import Trace
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import draw_spectrogram
from .tracks import draw_tracks, pool_tracks, time_locator, tracks_note

CLOSED = 0.1  # a gate nearer to zero lets less than a tenth through
CLIPPED = 0.01  # share of the drawn cells that may lie beyond the ends of the scale
NUM_BINS = 80
SAMPLED_CELLS = 200_000
CURVE_POINTS = 1000
PANEL_INCHES = 1.75


class GateSummary(NamedTuple):
    """How open the gates of a clip are, over all frames and channels."""

    closed: float  # share with |gate| < CLOSED
    open: float  # share with gate >= CLOSED
    reversed: float  # share with gate <= -CLOSED: these turn the sign of the value
    negative: float  # share with gate < 0, closed or not
    mean: float


def gate_summary(terms: GLUTerms) -> GateSummary:
    """Count the gates that are closed and those that are negative."""
    gate = terms.gate
    conditions = (gate.abs() < CLOSED, gate >= CLOSED, gate <= -CLOSED, gate < 0)
    closed, opened, reverse, negative = (float(condition.float().mean()) for condition in conditions)
    return GateSummary(closed, opened, reverse, negative, float(gate.mean()))


def channel_order(terms: GLUTerms) -> Int[Tensor, " channels"]:
    """Channels by their mean gate, the most open first."""
    return terms.gate.mean(dim=0).argsort(descending=True, stable=True)


def glu_terms(trace: Trace, terms: GLUTerms, title: str = "GLU", palette: Palette = LIGHT) -> Picture:
    """Value, gate and output over time and channel, under the spectrogram, each on a scale of its own.

    terms: [frames, channels] each, such as `trace.glu(layer)`.
    """
    order = channel_order(terms)
    panels = {
        "value": terms.value.T[order],
        "gate": terms.gate.T[order],
        "output = value × gate": terms.output.T[order],
    }
    figure = Picture(11.5, 1.68 + 3 * (PANEL_INCHES + 0.3), palette)
    height = figure.get_figheight()
    sound = figure.add_axes((0.055, 1 - 1.15 / height, 0.86, 0.75 / height))
    draw_spectrogram(sound, trace, palette)
    sound.xaxis.set_major_locator(time_locator())
    sound.tick_params(labelbottom=False)
    dress(sound, palette, title=title, y="kHz")
    for index, (name, values) in enumerate(panels.items()):
        bottom = 0.55 / height + (2 - index) * (PANEL_INCHES + 0.3) / height
        axes = figure.add_axes((0.055, bottom, 0.86, PANEL_INCHES / height))
        bar = figure.add_axes((0.928, bottom, 0.011, PANEL_INCHES / height))
        cmap, norm = gate_scale(values, palette) if name == "gate" else (palette.signed, signed_norm(_reach(values)))
        draw_tracks(axes, trace, values, cmap, norm)
        dress(axes, palette, x="time (s)" if index == 2 else "", y="channels by openness")
        axes.set_title(name, loc="left", fontsize=LABEL_SIZE, color=palette.ink, pad=4)
        axes.tick_params(labelbottom=index == 2)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        add_colour_bar(bar, cmap, norm, palette, name.partition(" ")[0])
    note = tracks_note(terms.gate.shape[1], terms.gate.shape[0])
    notes = "; ".join(part for part in (note, "the strongest 1 % are clipped") if part)
    figure.text(0.915, 1 - 0.22 / height, notes, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
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


def gate_histogram(terms: GLUTerms, title: str = "GLU", palette: Palette = LIGHT) -> Picture:
    """How the activation makes gates of their inputs, and how many gates are closed, open and negative.

    terms: [frames, channels] each, such as `trace.glu(layer)`.
    """
    figure = Picture(11.5, 3.5, palette)
    curve = figure.add_axes((0.06, 0.155, 0.4, 0.74))
    gates = figure.add_axes((0.56, 0.155, 0.4, 0.74))
    _draw_activation(curve, terms, palette)
    dress(curve, palette, title=title, x="gate before its activation", y="gate")
    _draw_gates(gates, terms, palette)
    dress(gates, palette, title="How open the gates are", x="gate", y="share of frames × channels")
    return figure


def _draw_activation(axes: Axes, terms: GLUTerms, palette: Palette) -> None:
    """The activation at inputs that occur, and how often they do."""
    inputs, order = _sample(terms.gate_input).sort()
    gates = _sample(terms.gate)[order]
    first, last = _limits(inputs)
    shown = (inputs >= first) & (inputs <= last)
    counts = inputs.histc(NUM_BINS, first, last).numpy()
    frequent = axes.twinx()
    edges = np.linspace(first, last, NUM_BINS + 1)
    frequent.stairs(counts / len(inputs), edges, fill=True, color=palette.muted, alpha=0.28)
    frequent.set(ylim=(0, 1.6 * counts.max() / len(inputs)), yticks=[])
    for spine in frequent.spines.values():
        spine.set_visible(False)
    axes.set_zorder(frequent.get_zorder() + 1)  # the line above the histogram, and no background between them
    axes.patch.set_visible(False)
    frequent.patch.set_visible(True)
    frequent.set_facecolor(palette.background)
    some = slice(None, None, max(1, int(shown.sum()) // CURVE_POINTS))
    axes.plot(inputs[shown][some].numpy(), gates[shown][some].numpy(), color=palette.accent, linewidth=2)
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.set_xlim(first, last)
    handles = [
        Line2D([], [], color=palette.accent, linewidth=2, label="activation"),
        Patch(color=palette.muted, alpha=0.28, linewidth=0, label="how often that input occurs"),
    ]
    _add_legend(axes, handles, palette, "upper left")


def _draw_gates(axes: Axes, terms: GLUTerms, palette: Palette) -> None:
    """The gates' histogram; its bins meet at -CLOSED, 0 and CLOSED."""
    gates, summary = _sample(terms.gate), gate_summary(terms)
    first, last = _limits(gates)
    width = CLOSED / max(1, round(CLOSED * NUM_BINS / (last - first)))
    low, high = math.floor(min(first, 0) / width), math.ceil(max(last, CLOSED) / width)
    shares = gates.histc(high - low, low * width, high * width).numpy() / len(gates)
    edges = np.arange(low, high + 1) * width
    middles = (edges[1:] + edges[:-1]) / 2
    kinds = (
        (f"closed, |gate| < {CLOSED}", summary.closed, palette.muted, abs(middles) < CLOSED),
        ("open", summary.open, palette.accent, middles > CLOSED),
        ("open, and turns the sign", summary.reversed, palette.contrast, middles < -CLOSED),
    )
    handles = []
    for name, share, colour, chosen in kinds:
        if share > 0:
            axes.bar(middles[chosen], shares[chosen], width, color=colour, linewidth=0)
            handles.append(Patch(color=colour, linewidth=0, label=f"{name}: {share:.1%}"))
    axes.axvline(0, color=palette.line, linewidth=0.8)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.35 * shares.max()))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    _add_legend(axes, handles, palette, "upper right")


def _add_legend(axes: Axes, handles: list, palette: Palette, place: Literal["upper left", "upper right"]) -> None:
    axes.legend(
        handles=handles, loc=place, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, facecolor=palette.background,
        edgecolor=palette.line, framealpha=0.85, handlelength=1.4,
    )  # fmt: skip


def _sample(values: Float[Tensor, "frames channels"]) -> Float[Tensor, " some"]:
    """Evenly spaced cells, enough for a histogram."""
    flat = values.flatten()
    return flat[:: max(1, len(flat) // SAMPLED_CELLS)]


def _limits(values: Float[Tensor, " some"]) -> tuple[float, float]:
    """Where all but the outermost 0.1 % of either side lie; never the same number twice."""
    first, last = (float(values.quantile(share)) for share in (0.001, 0.999))
    return (first, last) if last - first > 1e-6 else (first - 0.5, last + 0.5)
