"""Pictures of quantisation noise on one weight: the mask, the weight before and after, and what a clip feels of it."""

import math

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..effects import AttentionChange
from ..noise import TABLE_NAME, NoisedPass, relative_changes
from ..tracing import Trace
from ..wording import name_share
from .attention_change import attention_change_maps
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm

MASK_CELLS = 192  # rows and columns of a weight that a picture can show one by one
WEIGHT_CELLS = 48
EFFECT_INCHES = (5.75, 4.6)


def noise_mask(noised: NoisedPass, palette: Palette = LIGHT) -> Picture:
    """Which entries of the weight this draw drops: the corner at the first output and input, entry by entry.

    A mask is never pooled: under any pooling it would look fuller or emptier than it is.
    """
    mask = noised.mask[:MASK_CELLS, :MASK_CELLS]
    figure = Picture(3.95, 4.3, palette)
    axes = figure.add_axes((0.15, 0.205, 0.82, 0.715))
    colours = ListedColormap([palette.background, palette.masked])
    draw_corner(axes, mask, colours, Normalize(0, 1))
    down, across = _axis_names(noised)
    dress(axes, palette, title=f"{_name(noised)} · mask", x=across, y=down)
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
    titles, (down, across) = ("before", f"after: dropped, or × {growth:.3g}"), _axis_names(noised)
    for index, (corner, title) in enumerate(zip(corners, titles, strict=True)):
        axes = figure.add_axes((0.085 + 0.462 * index, 0.205, 0.432, 0.715))
        draw_corner(axes, corner, palette.signed, norm)
        dress(axes, palette, title=title, x=across, y="" if index else down)
        axes.tick_params(labelleft=not index)
        if not index:
            _note_corner(axes, noised.before, corner, palette)
    bar = figure.add_axes((0.085, 0.082, 0.432, 0.02))
    add_colour_bar(bar, palette.signed, norm, palette, "", horizontal=True)
    figure.text(0.547, 0.079, "weight", color=palette.muted, fontsize=LABEL_SIZE)
    return figure


def _name(noised: NoisedPass) -> str:
    return "Bias table" if noised.noise.weight == TABLE_NAME else f"Layer {noised.noise.layer} · {noised.noise.weight}"


def _axis_names(noised: NoisedPass) -> tuple[str, str]:
    return ("bucket", "head") if noised.noise.weight == TABLE_NAME else ("output channel", "input channel")


def draw_corner(
    axes: Axes, corner: Shaped[Tensor, "rows columns"], cmap: str | ListedColormap, norm: Normalize
) -> None:
    """Draw a weight entry by entry: rows down, columns across."""
    axes.imshow(corner.numpy(), cmap=cmap, norm=norm, interpolation="nearest", aspect="auto")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))


def _note_corner(axes: Axes, whole: Tensor, corner: Tensor, palette: Palette) -> None:
    if whole.shape != corner.shape:
        text = f"{corner.shape[0]} × {corner.shape[1]} of {whole.shape[0]} × {whole.shape[1]}"
        axes.set_title(text, loc="right", color=palette.muted, fontsize=LABEL_SIZE - 1, pad=6)


def noise_attention(
    trace: Trace, change: AttentionChange, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """One head's attention without the noise, with it, and the difference, as `attention_change` compares them.

    Raises: ValueError for another scale.
    """
    return attention_change_maps(trace, change, ("without noise", "with noise"), "with − without", scale, palette)


def noise_effect(
    trace: Trace, noised: NoisedPass, moved: Float[Tensor, "layers heads"], head: int, palette: Palette = LIGHT
) -> Picture:
    """By layer: how far the noise moves what it hands on, and how much of its attention; one head stands out.

    moved: as `attention_moved` gives it. States and output: ||noised - clean|| / ||clean||.

    Raises: IndexError for a head that is not there.
    """
    states, output = relative_changes(trace, noised.trace)
    layer, last = noised.noise.layer, trace.num_layers
    figure = Picture(*EFFECT_INCHES, palette)
    above, below = (figure.add_axes((0.125, bottom, 0.845, 0.33)) for bottom in (0.585, 0.11))
    _draw_bars(above, np.append(states.numpy(), output), layer, palette)
    dress(above, palette, title="How far the clip moves", y="relative change (%)")
    _draw_moved(below, moved, layer, range(trace.num_heads)[head], palette)
    dress(below, palette, title="How much attention goes elsewhere", x="layer", y="of a frame's (%)")
    places = range(1, last + 1, math.ceil((last + 1) / 14))  # a layer stands where what leaves it does
    names = [str(place - 1) for place in places]
    above.set_xticks([0, *places, last + 1], ["in", *names, "out"])
    below.set_xticks(places, names)
    for axes in (above, below):
        axes.axvspan(-0.5, layer + 0.5, color=palette.ink, alpha=0.05, linewidth=0)
        axes.set_xlim(-0.5, last + 1.6)
    above.annotate(
        "before the\nnoise", (layer / 2, 1), (0, -5), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="center", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip
    return figure


def _draw_moved(axes: Axes, moved: Float[Tensor, "layers heads"], layer: int, head: int, palette: Palette) -> None:
    """Draw the heads of each layer from the noised one on, and their mean."""
    shares = 100 * moved[layer:].numpy()
    places = np.arange(layer, len(moved)) + 1
    axes.bar(places, shares.mean(axis=1), 0.62, color=palette.contrast, label="mean of the heads")
    axes.plot(places, shares, "o", color=palette.muted, markersize=2.5, alpha=0.7)
    axes.plot(places, shares[:, head], "o", color=palette.accent, markersize=4.5, label=f"head {head}")
    _scale_shares(axes, shares)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.01, 0.98), ncols=2, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, borderaxespad=0.2, handletextpad=0.4, columnspacing=1, handlelength=1,
    )  # fmt: skip


def _draw_bars(axes: Axes, changes: np.ndarray, layer: int, palette: Palette) -> None:
    """Draw a bar for each state and one for the output."""
    shares, places, last = 100 * changes, np.arange(len(changes)), len(changes) - 2
    axes.bar(places[:-1], shares[:-1], 0.62, color=[palette.line] * (layer + 1) + [palette.contrast] * (last - layer))
    axes.bar(places[-1:], shares[-1:], 0.62, color=palette.accent)
    for place in _places_with_numbers(layer, last):
        _annotate_bar(axes, place, float(shares[place]), palette)
    _scale_shares(axes, shares)


def _annotate_bar(axes: Axes, place: int, share: float, palette: Palette) -> None:
    axes.annotate(
        name_share(share / 100), (place, share), (0, 3), textcoords="offset points", ha="center",
        fontsize=LABEL_SIZE - 1, color=palette.ink,
    )  # fmt: skip


def _scale_shares(axes: Axes, shares: np.ndarray) -> None:
    axes.set_ylim(0, 1.22 * float(shares.max()) or 1)
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _places_with_numbers(layer: int, last: int) -> list[int]:
    """Bars with their number on top: the output's always, the others' as far as there is room."""
    if last <= 7:
        return sorted({layer + 1, last, last + 1})
    return [layer + 1, last + 1] if last - layer > last / 5 else [last + 1]


def noise_sweep(
    changes: Float[Tensor, " layers"], weight: str, p: float, layer: int, palette: Palette = LIGHT
) -> Picture:
    """How far the same noise moves the output when it is put on each layer's weight in turn; one layer stands out.

    changes: as `layer_sweep` gives them.

    Raises: IndexError for a layer that is not there.
    """
    shares, chosen = 100 * changes.numpy(), range(len(changes))[layer]
    figure = Picture(*EFFECT_INCHES, palette)
    axes = figure.add_axes((0.125, 0.11, 0.845, 0.805))
    colours = [palette.accent if place == chosen else palette.contrast for place in range(len(shares))]
    axes.bar(np.arange(len(shares)), shares, 0.62, color=colours)
    for place in {chosen, int(shares.argmax())} if len(shares) > 7 else range(len(shares)):
        _annotate_bar(axes, place, float(shares[place]), palette)
    title = f"Each layer's {weight} in turn, p = {p:g}"
    dress(axes, palette, title=title, x="the layer that is noised", y="relative change of the output (%)")
    _scale_shares(axes, shares)
    axes.set_xlim(-0.7, len(shares) - 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    return figure
