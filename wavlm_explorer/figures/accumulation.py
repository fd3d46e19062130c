"""Pictures of quantisation noise over training steps: overwritten at each, beside drawn afresh."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from ..accumulation import Accumulation
from .noise import draw_corner
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm

SIZE_INCHES = (5.75, 4.6)
LEFT, WIDTH = 0.125, 0.845


def noise_corners(accumulation: Accumulation, reach: float, palette: Palette = LIGHT) -> Picture:
    """A corner of the weight after some of the steps: overwritten above, drawn afresh below, on one scale.

    reach: where the scale ends; what has grown beyond it has the colour of the end.
    """
    figure, norm = Picture(*SIZE_INCHES, palette), signed_norm(reach)
    width, gap = 0.27, 0.025
    above, below = accumulation.overwritten, accumulation.drawn_afresh
    for bottom, name, record in ((0.575, "overwritten", above), (0.18, "drawn afresh", below)):
        for column, (step, corner) in enumerate(zip(accumulation.chosen, record.corners, strict=True)):
            axes = figure.add_axes((LEFT + column * (width + gap), bottom, width, 0.34))
            draw_corner(axes, corner, palette.signed, norm)
            title = f"after {step} {'step' if step == 1 else 'steps'}" if record is above else ""
            dress(axes, palette, title=title, y="" if column else name)
            axes.tick_params(labelleft=not column, labelbottom=record is below)
    bar = figure.add_axes((LEFT, 0.085, 2 * width + gap, 0.018))
    add_colour_bar(bar, palette.signed, norm, palette, "", horizontal=True)
    figure.text(
        LEFT + 2 * (width + gap), 0.094, "weight; larger ones\nhave the end's colour", color=palette.muted,
        fontsize=LABEL_SIZE - 1, va="center",
    )  # fmt: skip
    return figure


def noise_steps(accumulation: Accumulation, p: float, palette: Palette = LIGHT) -> Picture:
    """How much of the weight is left over the steps, and how large: dots for what was run, lines for the formulas.

    Raises: ValueError unless 0 <= p < 1.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p: expected a probability 0 <= p < 1; found {p}")
    figure = Picture(*SIZE_INCHES, palette)
    kept, growth = (figure.add_axes((LEFT, bottom, WIDTH, 0.33)) for bottom in (0.585, 0.11))
    steps = np.arange(len(accumulation.overwritten.kept))
    once = np.minimum(steps, 1)  # drawn afresh, all steps are like the first
    for record, powers, colour, name, size in (
        (accumulation.drawn_afresh, once, palette.contrast, "drawn afresh", 4.5),
        (accumulation.overwritten, steps, palette.accent, "overwritten", 3),
    ):
        there = record.kept.numpy() > 0
        kept.plot(steps, 100 * (1 - p) ** powers, color=colour, linewidth=1.3, label=name)
        kept.plot(steps, 100 * record.kept.numpy(), "o", color=colour, markersize=size, linewidth=0)
        growth.plot(steps, (1 - p) ** -powers.astype(float), color=colour, linewidth=1.3)
        growth.plot(steps[there], record.growth.numpy()[there], "o", color=colour, markersize=size, linewidth=0)
    kept.set_ylim(0, 107)
    _scale_growth(growth, p, len(steps) - 1)
    dress(kept, palette, title="What is left", y="of all entries (%)")
    dress(growth, palette, title="How large it is", x="training steps", y="times as trained")
    for axes in (kept, growth):
        axes.set_xlim(-0.02 * len(steps), 1.02 * len(steps) - 1)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    kept.legend(
        loc="lower right", bbox_to_anchor=(1.01, 0.98), ncols=2, frameon=False, fontsize=LABEL_SIZE - 1,
        labelcolor=palette.ink, borderaxespad=0.2, handletextpad=0.5, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _scale_growth(axes: Axes, p: float, num_steps: int) -> None:
    highest = (1 - p) ** -float(num_steps)
    if highest > 20:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(0.6, highest**1.08)
        return
    axes.set_ylim(0, 1.1 * max(highest, 1.5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"{factor:g}"))
