"""Pictures of quantisation noise: the mask, the weight before and after, and what it does to a clip."""

import math

import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm, ListedColormap, Normalize
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from torch import Tensor

from ..noise import NoisedPass, relative_changes
from ..tracing import Trace
from .reduction import pooling_note
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm, weight_norm
from .time_axes import draw_map

MASK_CELLS = 192  # rows and columns of a weight that a picture can show one by one
WEIGHT_CELLS = 48
MAP_CELLS = 360
NUM_STEPS = 50
FEWEST_SURVIVORS = 1e-6


def noise_mask(noised: NoisedPass, palette: Palette = LIGHT) -> Picture:
    """Which entries of the weight this draw drops: the corner at the first output and input, entry by entry.

    A mask is never pooled: under any pooling it would look fuller or emptier than it is.
    """
    mask = noised.mask[:MASK_CELLS, :MASK_CELLS]
    figure = Picture(3.95, 4.3, palette)
    axes = figure.add_axes((0.15, 0.205, 0.82, 0.715))
    colours = ListedColormap([palette.background, palette.masked])
    _draw_corner(axes, mask, colours, Normalize(0, 1))
    dress(axes, palette, title=f"{_name(noised)} · mask", x="input channel", y="output channel")
    rows, columns = (min(size, WEIGHT_CELLS) for size in mask.shape)
    axes.add_patch(Rectangle((-0.5, -0.5), columns, rows, fill=False, edgecolor=palette.ink, linewidth=1.4))
    handles = [
        Patch(facecolor=palette.masked, label=f"dropped: {float(noised.mask.float().mean()):.1%}"),
        Patch(facecolor=palette.background, edgecolor=palette.muted, linewidth=0.6, label="kept"),
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.13, 0.02), ncols=2, frameon=False, handlelength=1.2,
        fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, borderaxespad=0.3, columnspacing=1.4,
    )  # fmt: skip
    _note_corner(axes, noised.mask, mask, palette)
    return figure


def noise_weight(noised: NoisedPass, palette: Palette = LIGHT) -> Picture:
    """The framed corner of the weight before and after the draw, on one scale."""
    figure = Picture(7.1, 4.3, palette)
    corners = [weight[:WEIGHT_CELLS, :WEIGHT_CELLS] for weight in (noised.before, noised.after)]
    norm = signed_norm(max(float(corner.abs().max()) for corner in corners))
    growth = 1 / (1 - noised.noise.p)
    titles = ("before", f"after: dropped, or × {growth:.3g}")
    for index, (corner, title) in enumerate(zip(corners, titles, strict=True)):
        axes = figure.add_axes((0.085 + 0.462 * index, 0.205, 0.432, 0.715))
        _draw_corner(axes, corner, palette.signed, norm)
        dress(axes, palette, title=title, x="input channel", y="" if index else "output channel")
        axes.tick_params(labelleft=not index)
        if not index:
            _note_corner(axes, noised.before, corner, palette)
    bar = figure.add_axes((0.085, 0.082, 0.432, 0.02))
    add_colour_bar(bar, palette.signed, norm, palette, "", horizontal=True)
    figure.text(0.547, 0.079, "weight", color=palette.muted, fontsize=LABEL_SIZE)
    return figure


def _name(noised: NoisedPass) -> str:
    return f"Layer {noised.noise.layer} · {noised.noise.weight}"


def _draw_corner(
    axes: Axes, corner: Shaped[Tensor, "rows columns"], cmap: str | ListedColormap, norm: Normalize
) -> None:
    axes.imshow(corner.numpy(), cmap=cmap, norm=norm, interpolation="nearest", aspect="auto")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))


def _note_corner(axes: Axes, whole: Tensor, corner: Tensor, palette: Palette) -> None:
    if whole.shape != corner.shape:
        text = f"{corner.shape[0]} × {corner.shape[1]} of {whole.shape[0]} × {whole.shape[1]}"
        axes.set_title(text, loc="right", color=palette.muted, fontsize=LABEL_SIZE - 1, pad=6)


def noise_attention(
    trace: Trace, noised: NoisedPass, layer: int, head: int, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """One head's attention without the noise, with it, and the difference.

    The scale of the difference ends at a round number, which its title names, so that two draws can be compared; it
    is a square root where that of the weights is.

    Raises: IndexError for a layer or head that is not there; ValueError for another scale.
    """
    before, after = (one.attention(layer, head)[0] for one in (trace, noised.trace))
    reach = difference_reach(float((after - before).abs().max()))
    difference = f"with − without ({scale} scale)"
    weights = (palette.weights, weight_norm(scale), f"weight ({scale} scale)")
    panels = (
        (f"Layer {layer} · head {head} · without noise", before, *weights),
        ("with noise", after, *weights),
        (f"difference, scale to ±{reach:g}", after - before, palette.signed, difference_norm(reach, scale), difference),
    )
    figure = Picture(11.5, 4.7, palette)
    grid = figure.add_gridspec(
        2, 3, height_ratios=(1, 0.03), left=0.055, right=0.975, bottom=0.12, top=0.9, wspace=0.12, hspace=0.28
    )
    for index, (title, values, cmap, norm, label) in enumerate(panels):
        axes, bar = (figure.add_subplot(grid[row, index]) for row in (0, 1))
        draw_map(axes, trace, values, cmap, norm, cells=MAP_CELLS)
        dress(axes, palette, title=title, x="key (s)", y="query (s)" if index == 0 else "")
        axes.tick_params(labelleft=index == 0)
        add_colour_bar(bar, cmap, norm, palette, label, horizontal=True)
        if index == 2:
            ticks = reach * np.array([-1, -0.25, 0, 0.25, 1] if scale == "square root" else [-1, -0.5, 0, 0.5, 1])
            bar.xaxis.set_minor_locator(NullLocator())
            bar.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    note = pooling_note(trace.num_frames, MAP_CELLS)
    figure.text(0.975, 0.968, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def difference_norm(reach: float, scale: str) -> Normalize:
    """Return a scale of differences, equally far to both sides of 0, in step with `weight_norm`."""
    if scale == "linear":
        return signed_norm(reach)
    return FuncNorm((_signed_root, _signed_square), -reach, reach)


def _signed_root(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.square(values)


def difference_reach(largest: float) -> float:
    """Return the first of 1, 0.5, 0.2, 0.1, ... a millionth that still holds the largest difference; 1 for none."""
    steps = sorted(digit * 10.0**power for power in range(-6, 0) for digit in (1, 2, 5))
    return next((step for step in steps if largest <= step), 1.0) if largest > 0 else 1.0


def noise_effect(trace: Trace, noised: NoisedPass, palette: Palette = LIGHT) -> Picture:
    """How far the noise moves what each layer hands on, and the output: ||noised - clean|| / ||clean||."""
    states, output = relative_changes(trace, noised.trace)
    shares = 100 * np.append(states.numpy(), output)
    layer, last = noised.noise.layer, trace.num_layers
    figure = Picture(5.7, 3.5, palette)
    axes = figure.add_axes((0.125, 0.155, 0.845, 0.74))
    places = np.arange(len(shares))
    axes.axvspan(-0.5, layer + 0.5, color=palette.ink, alpha=0.05, linewidth=0)
    axes.bar(places[:-1], shares[:-1], 0.62, color=[palette.line] * (layer + 1) + [palette.contrast] * (last - layer))
    axes.bar(places[-1:], shares[-1:], 0.62, color=palette.accent)
    for place in _places_with_numbers(layer, last):
        axes.annotate(
            name_share(shares[place] / 100), (place, shares[place]), (0, 3), textcoords="offset points", ha="center",
            fontsize=LABEL_SIZE - 1, color=palette.ink,
        )  # fmt: skip
    dress(axes, palette, title="How far the clip moves", x="what leaves each layer", y="relative change (%)")
    step = math.ceil((last + 1) / 14)
    axes.set_xticks([0, *places[1:-1:step], last + 1], ["in", *(str(place - 1) for place in places[1:-1:step]), "out"])
    axes.set(xlim=(-0.5, last + 1.6), ylim=(0, 1.18 * float(shares.max()) or 1))
    axes.annotate(
        "before the\nnoise", (layer / 2, 1), (0, -5), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="center", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip
    return figure


def _places_with_numbers(layer: int, last: int) -> list[int]:
    """Bars with their number on top: the output's always, the others' as far as there is room."""
    if last <= 7:
        return sorted({layer + 1, last, last + 1})
    return [layer + 1, last + 1] if last - layer > last / 5 else [last + 1]


def noise_over_steps(p: float, palette: Palette = LIGHT) -> Picture:
    """What the faithful hook does to a weight over training steps, did nothing else move it.

    Each step drops each block with chance p and multiplies the rest by 1 / (1 - p), and never takes it back.

    Raises: ValueError unless 0 <= p < 1.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p: expected a probability 0 <= p < 1; found {p}")
    steps = np.arange(num_steps(p) + 1)
    survival, growth = (1 - p) ** steps, (1 - p) ** -steps.astype(float)
    figure = Picture(5.7, 3.5, palette)
    axes = figure.add_axes((0.125, 0.155, 0.845, 0.74))
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(steps, growth, color=palette.accent, linewidth=2)
    axes.plot(steps, survival, color=palette.contrast, linewidth=2)
    reach = max(float(growth[-1]), 10.0) ** 1.25
    axes.set_yscale("log")
    axes.set(xlim=(0, steps[-1]), ylim=(1 / reach, reach))
    dress(axes, palette, title=f"If no step is undone, p = {p:g}", x="training steps", y="factor, 1 is as trained")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(LogLocator(10, numticks=7))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_name_factor))
    texts = (
        (0.97, f"what survives has grown × {name_growth(p, len(steps) - 1)}", palette.accent, "top"),
        (0.03, f"{name_share(float(survival[-1]))} of all blocks were never dropped", palette.contrast, "bottom"),
    )
    for height, text, colour, place in texts:
        axes.text(
            0.02, height, f"after {steps[-1]} steps, {text}", transform=axes.transAxes, color=colour, va=place,
            fontsize=LABEL_SIZE,
        )  # fmt: skip
    return figure


def num_steps(p: float) -> int:
    """How many training steps are shown: 50, or as many as leave a few blocks in a million that were never dropped."""
    return NUM_STEPS if p == 0 else min(NUM_STEPS, math.floor(math.log(FEWEST_SURVIVORS) / math.log(1 - p)))


def name_growth(p: float, steps: int) -> str:
    """Write (1 / (1 - p))^steps so that it can be read: 194, 524,288 or 1.0e+17."""
    growth = (1 - p) ** -float(steps)
    return f"{growth:.3g}" if growth < 1000 else f"{growth:,.0f}" if growth < 1e7 else f"{growth:.1e}"


def name_share(share: float) -> str:
    """Write a share in percent with two digits that matter: 35%, 0.52%, or "less than 0.0001%"."""
    if 0 < share < 1e-6:
        return "less than 0.0001%"
    return f"{share:.0%}" if share >= 0.1 else f"{100 * share:.2g}%"


def _name_factor(factor: float, _: int | None = None) -> str:
    return f"{factor:g}" if 1e-3 <= factor <= 1e3 else f"$10^{{{round(math.log10(factor))}}}$"
