"""Pictures of what GradMultiply does to the gradients of the front end, and what optimisers make of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from torch import Tensor

from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, dress


def gradients_by_weight(
    names: Sequence[str],
    sizes: Mapping[float, Float[Tensor, " weights"]],
    chosen: float,
    palette: Palette = LIGHT,
) -> Picture:
    """How large the gradient of each weight is, under several scales; where none arrives there is no point.

    names: of the weights, from the samples on. sizes: scale -> norms; one of the scales is `chosen` and stands out.

    Raises: KeyError for a chosen scale that is not among them.
    """
    figure, axes = _by_weight(names, "How large the gradients are", "norm of the gradient", palette)
    others = [scale for scale in sorted(sizes, reverse=True) if scale != chosen]
    styles = zip([chosen, *others], ((palette.accent, "-"), (palette.muted, "--"), (palette.muted, ":")), strict=False)
    for scale, (colour, dashes) in styles:
        norms = sizes[scale].numpy()
        _draw(axes, np.where(norms > 0, norms, np.nan), dashes, colour, f"{scale:g}")
    lowest = min((float(norms[norms > 0].min()) for norms in sizes.values() if (norms > 0).any()), default=1.0)
    highest = max(float(norms.max()) for norms in sizes.values()) or 1.0
    axes.set_yscale("log")
    axes.set_ylim(lowest / 2, highest * 2)
    add_legend(axes, palette, "scale")
    return figure


def first_steps_by_weight(
    names: Sequence[str],
    plain: Float[Tensor, " weights"],
    adam: Float[Tensor, " weights"],
    scale: float,
    palette: Palette = LIGHT,
) -> Picture:
    """How far the first step of two optimisers goes under a scale, as a share of the step without one.

    names: of the weights, from the samples on. plain: of gradient descent.
    """
    figure, axes = _by_weight(names, "How far the first step goes", "first step, 1 is unscaled", palette)
    _draw(axes, plain.numpy(), "-", palette.accent, "gradient descent")
    _draw(axes, adam.numpy(), "--", palette.contrast, "Adam")
    axes.set_ylim(-0.05, 1.2 * max(1.0, float(plain.max()), float(adam.max())))
    add_legend(axes, palette, f"scale {scale:g}:")
    return figure


def _by_weight(names: Sequence[str], title: str, y: str, palette: Palette) -> tuple[Picture, Axes]:
    """A picture with one place for each weight, and GradMultiply marked between convolutions and norm."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    figure.text(0.115, 0.925, title, color=palette.ink, fontsize=TITLE_SIZE)
    axes = figure.add_axes((0.115, 0.14, 0.865, 0.67))
    place = names.index("norm") - 0.5
    axes.axvline(place, color=palette.ink, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        "GradMultiply ", (place, 1), (-2, -4), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="right", va="top", fontsize=LABEL_SIZE - 1, color=palette.muted,
    )  # fmt: skip
    axes.set_xticks(range(len(names)), [name.removeprefix("conv ") for name in names])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(-0.5, len(names) - 0.5)
    dress(axes, palette, x="weight: the convolutions, then what is behind them     ← the gradient's way", y=y)
    return figure, axes


def _draw(axes: Axes, values: np.ndarray, dashes: str, colour: str, name: str) -> None:
    axes.plot(values, dashes, color=colour, linewidth=1.8, marker="o", markersize=5, label=name)
