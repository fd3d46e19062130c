"""Pictures of a gated linear unit's gates: the five types, value against gate, and channels by how closed they are."""

import math

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from torch import Tensor

from ..glu import CLOSED, ChannelRanking, gate_kinds, gate_shares, passed_ratio, region_shares, under_gate
from ..modules import GLUTerms
from ..modules.glu import GLU_ACTIVATIONS
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, dress

KIND_NAMES = ("closed", "open", "turns the sign")  # in the order of GateShares
FATES = (("stopped", "stopped"), ("kept −", "kept +"), ("turned to +", "turned to −"))  # kind x sign of the value
NUM_BINS = 60
SAMPLED_CELLS = 200_000
CURVE_POINTS = 400
NUM_EXTREMES = 4  # channels at either end of the ranking
BRIGHTEST = 0.97  # of the cells that are not empty, so many are told apart by their shade
WIDTH_INCHES = 5.75  # two pictures side by side fill the page
HEIGHT_INCHES = 3.9

percent = FuncFormatter(lambda share, _: f"{100 * share:g}%")


def kind_colours(palette: Palette) -> tuple[str, str, str]:
    """The colours of closed gates, open ones, and those that turn the sign."""
    return palette.muted, palette.accent, palette.contrast


def glu_types(
    terms: GLUTerms,
    chosen: str,
    own: str | None,
    frame: int,
    channel: int,
    title: str = "",
    palette: Palette = LIGHT,
) -> Picture:
    """The five gates on the same inputs: the curve, the inputs by what becomes of them, and the shares in numbers.

    The chosen type stands out, the model's own is named; the dot is the input of one frame and channel.

    terms: [frames, channels] each, such as `trace.glu(layer)`.

    Raises: IndexError for a frame or channel that is not there.
    """
    figure = Picture(11.5, 4.1, palette)
    inputs = _sample(terms.gate_input)
    first, last = _limits(inputs)
    dot = float(terms.gate_input[frame, channel])
    for index, name in enumerate(GLU_ACTIVATIONS):
        left = 0.055 + 0.189 * index
        curve = figure.add_axes((left, 0.505, 0.165, 0.345))
        counts = figure.add_axes((left, 0.275, 0.165, 0.195), sharex=curve)
        _draw_curve(curve, name, (first, last), dot, palette)
        _draw_inputs(counts, inputs, name, palette)
        is_chosen = name == chosen
        curve.set_title(
            f"{name} · this model's" if name == own else name, loc="left", fontsize=LABEL_SIZE, pad=4,
            color=palette.accent if is_chosen else palette.ink, fontweight="bold" if is_chosen else "normal",
        )  # fmt: skip
        dress(curve, palette, y="" if index else "gate")
        dress(counts, palette, x="gate's input z", y="" if index else "how often")
        curve.tick_params(labelbottom=False, labelleft=not index)
        _write_shares(figure, left, under_gate(terms, name), palette)
    figure.text(0.055, 0.935, title, color=palette.ink, fontsize=TITLE_SIZE)
    figure.legend(
        handles=_kind_handles(palette), loc="upper right", bbox_to_anchor=(0.982, 1.0), ncols=3, frameon=False,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _draw_curve(axes: Axes, name: str, ends: tuple[float, float], dot: float, palette: Palette) -> None:
    """A gate over its inputs, the band of closed gates behind it; all types share both axes."""
    first, last = ends
    inputs = torch.linspace(first, last, CURVE_POINTS)
    activation = GLU_ACTIVATIONS[name]()
    axes.axhspan(-CLOSED, CLOSED, color=palette.muted, alpha=0.28, linewidth=0, zorder=0)
    for draw in (axes.axhline, axes.axvline):
        draw(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.plot(inputs.numpy(), activation(inputs).numpy(), color=palette.ink, linewidth=1.8)
    gate = float(activation(torch.tensor(dot)))
    axes.plot(
        dot, gate, "o", color=_kind_colour(gate, palette), markersize=7, markeredgecolor=palette.background,
        markeredgewidth=1.2, zorder=4,
    )  # fmt: skip
    axes.set(xlim=(first, last), ylim=(min(first, -0.5), max(last, 1.1)))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _draw_inputs(axes: Axes, inputs: Float[Tensor, " some"], name: str, palette: Palette) -> None:
    """How often each input occurs, stacked by what the gate makes of it."""
    first, last = axes.get_xlim()
    edges = np.linspace(first, last, NUM_BINS + 1)
    kinds = gate_kinds(GLU_ACTIVATIONS[name]()(inputs))
    below = np.zeros(NUM_BINS + 1)  # each bin's share at its left edge; the last edge begins none
    for kind, colour in zip(kinds, kind_colours(palette), strict=True):
        above = below.copy()
        above[:-1] += inputs[kind].histc(NUM_BINS, first, last).numpy() / len(inputs)
        axes.fill_between(edges, below, above, step="post", color=colour, linewidth=0)
        below = above
    axes.set(ylim=(0, 1.08 * below.max() or 1), yticks=[])


def _write_shares(figure: Picture, left: float, terms: GLUTerms, palette: Palette) -> None:
    shares = gate_shares(terms.gate)
    lines = (
        (f"closed {percentage(shares.closed)}", palette.muted),
        (f"turns the sign {percentage(shares.turned)}", palette.contrast),
        (f"output ÷ value {passed_ratio(terms):.2f}", palette.ink),
    )
    for index, (words, colour) in enumerate(lines):
        figure.text(left, 0.115 - 0.043 * index, words, color=colour, fontsize=LABEL_SIZE)


def glu_regions(terms: GLUTerms, frame: int, channel: int, title: str = "", palette: Palette = LIGHT) -> Picture:
    """How often each value meets each gate, with the share of every region and what becomes of the value there.

    The dot is one frame and channel.

    Raises: IndexError for a frame or channel that is not there.
    """
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.11, 0.13, 0.86, 0.77))
    values, gates = _sample(terms.value), _sample(terms.gate)
    reach = max(abs(end) for end in _limits(values))
    regions = region_shares(terms)
    low, high = _gate_limits(gates, turned=float(regions[2].sum()))
    rows = CLOSED * np.sinh(np.linspace(math.asinh(low / CLOSED), math.asinh(high / CLOSED), NUM_BINS + 1))
    columns = np.linspace(-reach, reach, NUM_BINS + 1)
    counts, *_ = np.histogram2d(gates.numpy(), values.numpy(), bins=(rows, columns))
    shares = counts / len(values)
    norm = PowerNorm(0.5, 0, np.quantile(shares[shares > 0], BRIGHTEST) if shares.any() else 1, clip=True)
    axes.set_yscale("asinh", linear_width=CLOSED)
    axes.pcolormesh(columns, rows, shares, cmap=palette.sound, norm=norm, rasterized=True)
    axes.axvline(0, color=palette.ink, linewidth=0.8)
    for edge in (-CLOSED, CLOSED):
        axes.axhline(edge, color=palette.ink, linewidth=0.8)
    axes.set(xlim=(-reach, reach), ylim=(low, high))
    axes.yaxis.set_major_locator(FixedLocator([-3, -1, -0.3, -0.2, -0.1, 0, 0.1, 0.3, 1, 3, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda gate, _: f"{gate:g}".replace("-", "−")))
    axes.minorticks_off()
    _name_regions(axes, regions, palette)
    value, gate = float(terms.value[frame, channel]), float(terms.gate[frame, channel])
    axes.plot(
        value, gate, "o", color=_kind_colour(gate, palette), markersize=8, markeredgecolor=palette.background,
        markeredgewidth=1.5, zorder=4,
    )  # fmt: skip
    dress(axes, palette, title=title, x="value", y=f"gate (logarithmic beyond ±{CLOSED})")
    return figure


def _gate_limits(gates: Float[Tensor, " some"], turned: float) -> tuple[float, float]:
    """Where the gates lie; all of the closed band, and some of what is open or turned, are always among it."""
    first, last = _limits(gates)
    return min(first, -2 * CLOSED) if turned > 0 else -CLOSED, max(last, 4 * CLOSED)


def _name_regions(axes: Axes, regions: Float[Tensor, "3 2"], palette: Palette) -> None:
    """Write each region's share at its outer side, and what happens to the value."""
    low, high = axes.get_ylim()
    colours = (palette.ink, *kind_colours(palette)[1:])
    for kind, ends in enumerate(((-CLOSED, CLOSED), (CLOSED, high), (low, -CLOSED))):
        if ends[0] == ends[1]:
            continue
        middle = CLOSED * math.sinh(sum(math.asinh(end / CLOSED) for end in ends) / 2)
        for side, share in enumerate(regions[kind].tolist()):
            axes.annotate(
                f"{percentage(share)} {FATES[kind][side]}", (side, middle), (-5 if side else 5, 0),
                xycoords=("axes fraction", "data"), textcoords="offset points", ha="right" if side else "left",
                va="center", fontsize=LABEL_SIZE, fontweight="bold", color=colours[kind],
                bbox={"facecolor": palette.background, "alpha": 0.8, "linewidth": 0, "pad": 1.5},
            )  # fmt: skip


def glu_channels(ranking: ChannelRanking, rank: int, title: str = "", palette: Palette = LIGHT) -> Picture:
    """How often each channel is closed, by rank, and what the gates of the most closed, a chosen and the most open do.

    rank: of the chosen channel, from 0, the one most often closed.

    Raises: IndexError for a rank that is not there.
    """
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    curve, rows = figure.add_axes((0.125, 0.13, 0.285, 0.67)), figure.add_axes((0.67, 0.13, 0.24, 0.67))
    closed = ranking.shares.closed.numpy()
    ranks = range(len(closed))
    chosen = ranks[rank]
    curve.fill_between(ranks, closed, color=palette.muted, alpha=0.35, linewidth=0, step="mid")
    curve.plot(chosen, closed[chosen], "o", color=palette.ink, markersize=6, zorder=3, clip_on=False)
    curve.set(xlim=(-0.5, len(closed) - 0.5), ylim=(0, min(1.0, 1.15 * closed.max()) or 1))
    curve.yaxis.set_major_formatter(percent)
    curve.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    dress(curve, palette, x="rank of the channel", y="frames in which it is closed")
    shown = sorted({*ranks[:NUM_EXTREMES], chosen, *ranks[-NUM_EXTREMES:]})
    _draw_rows(rows, ranking, shown, chosen, palette)
    figure.text(0.125, 0.935, title, color=palette.ink, fontsize=TITLE_SIZE)
    figure.legend(
        handles=_kind_handles(palette), loc="upper right", bbox_to_anchor=(0.985, 0.925), ncols=3, frameon=False,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _draw_rows(axes: Axes, ranking: ChannelRanking, shown: list[int], chosen: int, palette: Palette) -> None:
    """One bar for each rank shown, its frames by what the gate does, and how many are closed; gaps where ranks lack."""
    gaps = np.cumsum(np.diff(shown, prepend=shown[0]) > 1)
    places, begin = np.arange(len(shown)) + 0.7 * gaps, np.zeros(len(shown))
    for share, colour in zip(ranking.shares, kind_colours(palette), strict=True):
        widths = share[shown].numpy()
        axes.barh(places, widths, left=begin, height=0.72, color=colour, linewidth=0)
        begin = begin + widths
    for place, closed in zip(places, ranking.shares.closed[shown], strict=True):
        _write_beside(axes, percentage(closed), place, palette)
    _write_beside(axes, KIND_NAMES[0], -0.95, palette)
    axes.set_yticks(places, [f"{rank} · channel {int(ranking.order[rank])}" for rank in shown])
    axes.set(xlim=(0, 1), ylim=(places[-1] + 0.6, -0.6))
    axes.xaxis.set_major_formatter(percent)
    axes.xaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    dress(axes, palette, x="frames")
    for label, rank in zip(axes.get_yticklabels(), shown, strict=True):
        label.set(color=palette.ink if rank == chosen else palette.muted)
        label.set_fontweight("bold" if rank == chosen else "normal")


def _write_beside(axes: Axes, words: str, place: float, palette: Palette) -> None:
    axes.annotate(
        words, (1, place), (4, 0), textcoords="offset points", va="center", color=palette.muted,
        fontsize=LABEL_SIZE - 1, annotation_clip=False,
    )  # fmt: skip


def _kind_handles(palette: Palette) -> list[Patch]:
    pairs = zip(KIND_NAMES, kind_colours(palette), strict=True)
    return [Patch(color=colour, linewidth=0, label=name) for name, colour in pairs]


def _kind_colour(gate: float, palette: Palette) -> str:
    closed, opened, turned = kind_colours(palette)
    return closed if abs(gate) < CLOSED else opened if gate > 0 else turned


def percentage(share: float | Tensor) -> str:
    """A share as people read it: whole percents, but never 0 % for something or 100 % for not quite all."""
    number = float(share)
    return f"{number:.1%}" if 0 < number < 0.01 or 0.99 < number < 1 else f"{number:.0%}"


def _sample(values: Float[Tensor, "frames channels"]) -> Float[Tensor, " some"]:
    """Evenly spaced cells, enough for a histogram."""
    flat = values.flatten()
    return flat[:: max(1, len(flat) // SAMPLED_CELLS)]


def _limits(values: Float[Tensor, " some"]) -> tuple[float, float]:
    """Where all but the outermost 0.1 % of either side lie; never the same number twice."""
    first, last = values.quantile(torch.tensor([0.001, 0.999])).tolist()
    return (first, last) if last - first > 1e-6 else (first - 0.5, last + 0.5)
