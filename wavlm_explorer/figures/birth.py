"""Pictures of heads coming into being: all that is known of one moment, and the whole course."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ..birth import Birth, Course, bias_over_distance
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, weight_norm

GAP = 4  # cells between two maps
STEP_TICKS = (0, 10, 100, 1000)
NEAR_SECONDS = 0.16  # up to here the axis of distances is linear
HEAD_COLOURS = ("#0b7285", "#d9480f", "#7048a8", "#2b8a3e", "#c2255c", "#8a6d00")
HEAD_COLOURS_IN_THE_DARK = ("#4dd4c0", "#ff8a5c", "#b69cff", "#8ce08a", "#ff8fb3", "#e8c547")


def birth_moment(birth: Birth, moment: int, palette: Palette = LIGHT) -> Picture:
    """Every head's map at one moment, and beside them accuracy, bias and gates; all scales are those of the whole run.

    Raises: IndexError for a moment that is not there.
    """
    moment = range(len(birth.steps))[moment]
    figure = Picture(11.5, 6.5, palette)
    maps, bar = figure.add_axes((0.05, 0.13, 0.47, 0.80)), figure.add_axes((0.05, 0.065, 0.2, 0.014))
    _draw_maps(maps, birth.weights(moment), palette)
    dress(maps, palette, title=f"Step {birth.steps[moment]:,} of {birth.steps[-1]:,}", x="", y="layer")
    maps.set_title("all maps, 4 × 4 s each", loc="right", color=palette.muted, fontsize=LABEL_SIZE)
    add_colour_bar(bar, palette.weights, weight_norm("square root"), palette, "", horizontal=True)
    figure.text(0.26, 0.06, "weight (square root scale)", color=palette.muted, fontsize=LABEL_SIZE)
    accuracy, bias, gates = (figure.add_axes((0.6, bottom, 0.385, 0.215)) for bottom in (0.735, 0.41, 0.085))
    _draw_accuracy(accuracy, birth, moment, palette)
    _draw_bias(bias, birth, moment, palette)
    _draw_gates(gates, birth, moment, palette)
    return figure


def birth_course(birth: Birth, signs: Course, moment: int, palette: Palette = LIGHT) -> Picture:
    """Gates, bias, maps and accuracy through the training, each as a share of the most that it ever is."""
    figure = Picture(11.5, 3.3, palette)
    axes = figure.add_axes((0.055, 0.16, 0.93, 0.68))
    lines = (
        ("range of a gate", signs.gate_range, palette.accent, "-"),
        ("spread of the bias", signs.bias_spread, palette.contrast, "-"),
        ("largest weight of a row", signs.largest_weight, palette.ink, "--"),
        ("hidden frames guessed right", signs.heldout, palette.muted, ":"),
    )
    for name, values, colour, dashes in lines:
        axes.plot(
            birth.steps, 100 * values / values.max(), dashes, color=colour, linewidth=1.8, marker="o", markersize=4,
            label=f"{name} (at most {values.max():.2g})",
        )  # fmt: skip
    axes.axvline(birth.steps[moment], color=palette.contrast, linewidth=1.2, zorder=1)
    _scale_steps(axes, birth)
    axes.set_ylim(0, 105)
    dress(axes, palette, x="training step", y="share of its largest (%)")
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=4, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, columnspacing=1.4,
    )  # fmt: skip
    return figure


def _draw_maps(axes: Axes, weights: Float[np.ndarray, "layers heads cells cells"], palette: Palette) -> None:
    """All maps in one image: layers down, heads across."""
    layers, heads, cells, _ = weights.shape
    pitch = cells + GAP
    mosaic = np.full((layers * pitch - GAP, heads * pitch - GAP), np.nan, dtype=np.float32)
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * pitch, head * pitch
            mosaic[top : top + cells, left : left + cells] = weights[layer, head]
    axes.imshow(mosaic, cmap=palette.weights, norm=weight_norm("square root"), interpolation="nearest", aspect="auto")
    middles = np.arange(heads) * pitch + cells / 2
    axes.set_xticks(middles, [f"head {head}" for head in range(heads)])
    axes.set_yticks(np.arange(layers) * pitch + cells / 2, [str(layer) for layer in range(layers)])


def _draw_accuracy(axes: Axes, birth: Birth, moment: int, palette: Palette) -> None:
    for name, shares, colour in (
        ("known speakers", birth.heldout, palette.accent),
        ("a stranger", birth.stranger, palette.contrast),
    ):
        axes.plot(birth.steps, 100 * shares, color=colour, linewidth=1.2, alpha=0.45)
        axes.plot(birth.steps[: moment + 1], 100 * shares[: moment + 1], color=colour, linewidth=1.8)
        label = f"{name}: {shares[moment]:.0%}"
        axes.plot(birth.steps[moment], 100 * shares[moment], "o", color=colour, markersize=6, label=label)
    _scale_steps(axes, birth)
    axes.set_ylim(0, 55)
    dress(axes, palette, title="Hidden frames guessed right", x="training step", y="%")
    axes.legend(loc="upper left", frameon=False, fontsize=LABEL_SIZE - 1, labelcolor=palette.ink, handletextpad=0.2)


def _draw_bias(axes: Axes, birth: Birth, moment: int, palette: Palette) -> None:
    distances, bias = bias_over_distance(birth, moment)
    colours = HEAD_COLOURS if palette.background == LIGHT.background else HEAD_COLOURS_IN_THE_DARK
    for head, (curve, colour) in enumerate(zip(bias, colours, strict=True)):
        axes.plot(distances / 1000, curve, color=colour, linewidth=1.4, label=str(head))
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    axes.set_xscale("symlog", linthresh=NEAR_SECONDS)
    ticks = (-2, -0.5, -0.1, 0, 0.1, 0.5, 2)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    axes.set(xlim=(distances[0] / 1000, distances[-1] / 1000), ylim=(1.1 * birth.bias.min(), 1.6 * birth.bias.max()))
    dress(axes, palette, title="Bias of each head", x="distance (s)     ← before · after →", y="bias")
    axes.legend(
        title="head", loc="lower left", ncols=3, frameon=False, fontsize=LABEL_SIZE - 2, labelcolor=palette.ink,
        handlelength=1, columnspacing=0.8, title_fontproperties={"size": LABEL_SIZE - 2},
    ).get_title().set_color(palette.muted)  # fmt: skip


def _draw_gates(axes: Axes, birth: Birth, moment: int, palette: Palette) -> None:
    """One line a head, from its lowest gate over the clip to its highest, a dot at the mean; layer by layer."""
    layers, heads = birth.gate_mean.shape[1:]
    places = np.arange(layers)[:, None] + np.linspace(-0.3, 0.3, heads)
    low, mean, high = (values[moment].ravel() for values in (birth.gate_low, birth.gate_mean, birth.gate_high))
    axes.vlines(places.ravel(), low, high, color=palette.accent, linewidth=2)
    axes.plot(places.ravel(), mean, "o", color=palette.ink, markersize=2.5)
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set(xlim=(-0.5, layers - 0.5), ylim=(0, 1.05 * birth.gate_high.max()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    dress(axes, palette, title="Gates over the clip: lowest, mean, highest", x="layer (six heads in each)", y="gate")


def _scale_steps(axes: Axes, birth: Birth) -> None:
    """Steps from 0, linear up to 10 and then logarithmic."""
    axes.set_xscale("symlog", linthresh=10)
    axes.set_xlim(-0.5, 1.1 * birth.steps[-1])
    axes.xaxis.set_major_locator(FixedLocator(STEP_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
