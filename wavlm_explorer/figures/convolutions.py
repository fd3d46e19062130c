"""The picture of quantisation noise on the two small convolutions that stand in for those that no WavLM has."""

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from ..convolutions import KERNEL, NoisedConvolutions
from .style import LIGHT, TITLE_SIZE, Palette, Picture, add_colour_bar, dress, signed_norm
from .time_axes import HIGHEST_KILOHERTZ

WITHIN_SCALE = 0.995  # of the values: one click would bleach the rest


def noise_convolutions(noised: NoisedConvolutions, palette: Palette = LIGHT) -> Picture:
    """Which weights of a 3 x 3 and of a 1 x 1 convolution one draw drops, and a channel that leaves both."""
    figure = Picture(11.5, 3.9, palette)
    boxes = ((0.055, 0.13), (0.23, 0.19), (0.47, 0.225), (0.72, 0.225), (0.96, 0.01))
    kernels, mixing, clean, after, bar = (figure.add_axes((left, 0.15, width, 0.65)) for left, width in boxes)
    figure.text(
        0.055, 0.93, "Demonstration · two small convolutions on the clip's spectrogram, the second on the first",
        color=palette.ink, fontsize=TITLE_SIZE,
    )  # fmt: skip
    entries = noised.kernel_mask.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)  # [outputs x 3, inputs x 3]
    _draw_mask(kernels, entries.numpy(), KERNEL, palette)
    dress(kernels, palette, title="3 × 3: mask", x="input channel", y="output channel")
    kernels.set_xticks(kernels.get_xticks(), ["level", "Δ", "ΔΔ"])
    _draw_mask(mixing, noised.mixing_mask[:, :, 0, 0].numpy(), 1, palette)
    dress(mixing, palette, title="1 × 1: mask", x="input channel")
    norm = signed_norm(float(np.quantile(np.abs(np.stack([noised.before, noised.after])), WITHIN_SCALE)))
    for axes, title, values in (
        (clean, "channel 0 of what leaves both", noised.before),
        (after, "the same with noise", noised.after),
    ):
        _draw_channel(axes, values, noised, palette, norm)
        dress(axes, palette, title=title, x="time (s)", y="kHz" if axes is clean else "")
        axes.tick_params(labelleft=axes is clean)
    add_colour_bar(bar, palette.signed, norm, palette, "")
    return figure


def _draw_channel(
    axes: Axes,
    values: Float[Tensor, "frequencies columns"],
    noised: NoisedConvolutions,
    palette: Palette,
    norm: Normalize,
) -> None:
    extent = (noised.begin, noised.end, 0, HIGHEST_KILOHERTZ)
    axes.imshow(
        values.numpy(), cmap=palette.signed, norm=norm, extent=extent, origin="lower", aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks([0, 4, 8])
    axes.xaxis.set_major_locator(MaxNLocator(6))


def _draw_mask(axes: Axes, mask: Bool[np.ndarray, "rows columns"], cell: int, palette: Palette) -> None:
    """Draw a mask, with lines around what joins an input to an output: a kernel of cell x cell, or a single entry."""
    outputs, inputs = mask.shape[0] // cell, mask.shape[1] // cell
    colours = ListedColormap([palette.background, palette.masked])
    axes.imshow(
        mask, cmap=colours, norm=Normalize(0, 1), extent=(0, inputs, outputs, 0), aspect="auto", interpolation="nearest"
    )
    down, across = (np.arange(1, number * cell) for number in (outputs, inputs))
    axes.hlines(down / cell, 0, inputs, color=palette.line, linewidth=np.where(down % cell, 0.3, 0.9))
    axes.vlines(across / cell, 0, outputs, color=palette.line, linewidth=np.where(across % cell, 0.3, 0.9))
    for axis, number in ((axes.xaxis, inputs), (axes.yaxis, outputs)):
        shown = range(0, number, 5 if number > 5 else 1)
        axis.set_ticks(np.array(shown) + 0.5, [str(index) for index in shown])
