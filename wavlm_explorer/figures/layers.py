"""Pictures of a clip's way through the layers: how large its states are, and how much each layer changes them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress

HALF_LARGEST = 65504.0  # of half precision


class LayerProfile(NamedTuple):
    """Hidden states in numbers: of what enters layer 0, then of what leaves each layer."""

    root_mean_square: Float[Tensor, " states"]
    largest: Float[Tensor, " states"]
    cosine_to_next: Float[Tensor, " layers"]  # between what enters a layer and what leaves it, mean over frames
    change: Float[Tensor, " layers"]  # ||leaves - enters|| / ||enters||
    variety: Float[Tensor, " states"]  # share of the power that varies over time: 0 where all frames are alike


def layer_profile(profile: LayerProfile, palette: Palette = LIGHT) -> Picture:
    """Size of the hidden states, with the limit of half precision, and what each layer does to them."""
    figure = Picture(11.5, 3.4, palette)
    sizes, changes, variety = (figure.add_axes((left, 0.17, 0.26, 0.70)) for left in (0.06, 0.39, 0.72))
    states = np.arange(len(profile.root_mean_square))
    _line(sizes, states, profile.largest, palette.accent, "largest")
    _line(sizes, states, profile.root_mean_square, palette.contrast, "root mean square")
    _scale_sizes(sizes)
    if float(profile.largest.nan_to_num().max()) > HALF_LARGEST / 100:
        sizes.axhline(HALF_LARGEST, color=palette.masked, linewidth=1, linestyle=(0, (4, 3)))
        sizes.annotate("half precision ends", (0, HALF_LARGEST), (2, 3), textcoords="offset points",
                       color=palette.muted, fontsize=LABEL_SIZE - 1)  # fmt: skip
    dress(sizes, palette, title="How large", x="states: 0 enters layer 0, n leaves layer n - 1", y="absolute value")
    _line(changes, states[:-1], profile.cosine_to_next, palette.contrast, "cosine of input and output")
    _line(changes, states[:-1], profile.change, palette.accent, "change / input")
    changes.set_ylim(bottom=min(0.0, float(profile.cosine_to_next.nan_to_num().min())))
    dress(changes, palette, title="How much a layer changes", x="layer")
    _line(variety, states, profile.variety, palette.contrast, "share of power that varies over time")
    variety.set_ylim(0, 1)
    dress(variety, palette, title="How different the frames are", x="states")
    for axes in (sizes, changes, variety):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.legend(fontsize=LABEL_SIZE - 1, frameon=False, labelcolor=palette.muted)
    return figure


def compare_choices(choices: Mapping[str, LayerProfile], palette: Palette = LIGHT) -> Picture:
    """The same clip and weights under choices that shapes leave open, side by side: size and variety by layer.

    choices: what was chosen -> the profile; the first is what the config says and stands out.
    """
    figure = Picture(11.5, 3.4, palette)
    sizes, variety, cosines = (figure.add_axes((left, 0.17, 0.26, 0.70)) for left in (0.06, 0.39, 0.72))
    styles = [(palette.accent, "-"), (palette.contrast, "--"), (palette.muted, ":"), (palette.ink, "-.")]
    for (name, profile), (colour, dashes) in zip(choices.items(), styles, strict=False):
        states = np.arange(len(profile.root_mean_square))
        _line(sizes, states, profile.root_mean_square, colour, name, dashes)
        _line(variety, states, profile.variety, colour, name, dashes)
        _line(cosines, states[:-1], profile.cosine_to_next, colour, name, dashes)
    _scale_sizes(sizes)
    dress(sizes, palette, title="Root mean square", x="states")
    dress(variety, palette, title="Share of power that varies over time", x="states")
    dress(cosines, palette, title="Cosine of a layer's input and output", x="layer")
    for axes in (sizes, variety, cosines):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    sizes.legend(fontsize=LABEL_SIZE - 1, frameon=False, labelcolor=palette.muted)
    return figure


def _scale_sizes(axes: Axes) -> None:
    """Start at zero where the sizes are alike, take logarithms where they differ by more than a factor of 20."""
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    positive = drawn[np.isfinite(drawn) & (drawn > 0)]
    if len(positive) and positive.max() > 20 * positive.min():
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)


def _line(axes: Axes, x: np.ndarray, y: Tensor, colour: str, label: str, dashes: str = "-") -> None:
    axes.plot(x, y.numpy(), dashes, color=colour, linewidth=1.6, marker="o", markersize=3, label=label)
