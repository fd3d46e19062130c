"""Pictures of attention: one head, one row of it, all heads of a layer, and the terms of one head."""

import math
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import FixedLocator, MaxNLocator
from torch import Tensor

from ..indices import check_index
from ..tracing import Trace
from .reduction import pooling_note
from .style import LABEL_SIZE, LIGHT, Palette, Picture, add_colour_bar, dress, signed_norm, weight_norm
from .time_axes import draw_map, draw_spectrogram, frame_edges
from .tracks import time_locator

THUMBNAIL_CELLS = 180
TERM_CELLS = 360


def attention_map(
    trace: Trace, layer: int, head: int | None = None, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """One head's weights with the spectrogram along both axes: a row says where that frame looks.

    head: None draws the mean of all heads, which is what other tools call the attention of a layer.
    scale: "square root", "logarithmic" or "linear"; each is the same on every map.

    Raises: IndexError for a layer or head that is not there; ValueError for another scale.
    """
    weights = trace.mean_attention_overview(layer) if head is None else trace.attention_overview(layer, head)[0]
    figure = Picture(7.0, 6.7, palette)
    grid = figure.add_gridspec(
        2, 3, width_ratios=(0.14, 1, 0.025), height_ratios=(0.14, 1),
        left=0.085, right=0.92, bottom=0.075, top=0.94, wspace=0.035, hspace=0.03,
    )  # fmt: skip
    above, left, main = (figure.add_subplot(grid[cell]) for cell in ((0, 1), (1, 0), (1, 1)))
    draw_spectrogram(above, trace, palette)
    draw_spectrogram(left, trace, palette, time="y")
    draw_map(main, trace, weights, palette.weights, weight_norm(scale))
    dress(
        above, palette, title=f"Layer {layer} · " + ("mean of all heads" if head is None else f"head {head}"), y="kHz"
    )
    dress(left, palette, y="query: the frame that looks (s)", x="kHz")
    dress(main, palette, x="key: the frame looked at (s)")
    above.tick_params(labelbottom=False)
    main.tick_params(labelleft=False)
    left.yaxis.set_major_locator(MaxNLocator(6))
    figure.text(0.92, 0.955, pooling_note(trace.num_frames), ha="right", color=palette.muted, fontsize=LABEL_SIZE)
    bar = figure.add_subplot(grid[1, 2])
    add_colour_bar(bar, palette.weights, weight_norm(scale), palette, f"weight ({scale} scale)")
    return figure


def attention_heads(
    trace: Trace, layer: int, head: int | None = None, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """All heads of one layer, small, and their mean; `head` is framed.

    Raises: as `attention_map`.
    """
    num_panels = trace.num_heads + 1
    columns = math.ceil(math.sqrt(num_panels))
    rows = math.ceil(num_panels / columns)
    side = 5.2 / columns
    figure = Picture(5.5, 1.08 * side * rows + 0.85, palette)
    grid = figure.add_gridspec(
        rows, columns, left=0.02, right=0.98, bottom=0.62 / figure.get_figheight(),
        top=1 - 0.3 / figure.get_figheight(), wspace=0.06, hspace=0.16,
    )  # fmt: skip
    for panel, thumbnail in enumerate(_thumbnails(trace, layer)):
        is_head, is_chosen = panel < trace.num_heads, panel == head
        axes = figure.add_subplot(grid[panel // columns, panel % columns])
        axes.imshow(thumbnail.numpy(), cmap=palette.weights, norm=weight_norm(scale), interpolation="nearest")
        dress(axes, palette)
        axes.set(xticks=[], yticks=[])
        colour, font_weight = (palette.accent, "bold") if is_chosen else (palette.muted, "normal")
        name = f"head {panel}" if is_head else "mean"
        axes.set_title(name, fontsize=LABEL_SIZE, pad=3, color=colour, fontweight=font_weight)
        if is_chosen:
            for spine in axes.spines.values():
                spine.set(color=palette.accent, linewidth=2)
    bar = figure.add_axes((0.02, 0.42 / figure.get_figheight(), 0.4, 0.09 / figure.get_figheight()))
    add_colour_bar(bar, palette.weights, weight_norm(scale), palette, f"weight ({scale} scale)", horizontal=True)
    note = pooling_note(trace.num_frames, THUMBNAIL_CELLS)
    figure.text(0.98, 0.02, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


def attention_row(trace: Trace, layer: int, head: int, frame: int, palette: Palette = LIGHT) -> Picture:
    """Where one frame looks, under the spectrogram: one row of a head's map, as a curve.

    Raises: IndexError for a layer, head or frame that is not there.
    """
    frame = check_index("frame", frame, trace.num_frames)
    weights = trace.attention(layer, head, slice(frame, frame + 1))[0, 0].numpy()
    times, time = trace.frame_times.numpy(), float(trace.frame_times[frame])
    figure = Picture(11.5, 3.2, palette)
    sound, axes = figure.add_axes((0.055, 0.76, 0.93, 0.14)), figure.add_axes((0.055, 0.16, 0.93, 0.53))
    draw_spectrogram(sound, trace, palette)
    sound.tick_params(labelbottom=False)
    dress(sound, palette, title=f"Layer {layer} · head {head} · frame {frame}, at {time:.2f} s", y="kHz")
    axes.fill_between(times, weights, color=palette.accent, alpha=0.25, linewidth=0)
    axes.plot(times, weights, color=palette.accent, linewidth=1.2, marker="." if len(times) == 1 else "")
    axes.set(xlim=frame_edges(trace), ylim=(0, 1.06 * float(weights.max()) or 1))
    axes.set_yscale("function", functions=(np.sqrt, np.square))  # as the colours of maps
    axes.yaxis.set_major_locator(FixedLocator([0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]))
    axes.xaxis.set_major_locator(time_locator())
    dress(axes, palette, x="key: the frame looked at (s)", y="weight (square root)")
    for panel in (sound, axes):
        panel.axvline(time, color=palette.contrast, linewidth=1.2)
    sound.xaxis.set_major_locator(time_locator())
    return figure


def attention_terms(
    trace: Trace, layer: int, head: int, scale: str = "square root", palette: Palette = LIGHT
) -> Picture:
    """One head taken apart: content + gate x bias = logits, and their softmax, the weights.

    The three signed terms share one scale, so that one sees which of them decides. Keys that interventions bar are grey
    among the logits: minus infinity is on no scale.

    Raises: as `attention_map`.
    """
    terms = trace.terms_overview(layer, head, TERM_CELLS)
    signed = {"content  q·k / √d": terms.content, "position  gate × bias": terms.position, "logits": terms.logits}
    largest = max(float(term.masked_fill(term.isneginf(), 0).abs().max()) for term in signed.values())
    figure = Picture(11.5, 3.75, palette)
    grid = figure.add_gridspec(
        2, 7, width_ratios=(1, 0.16, 1, 0.16, 1, 0.26, 1), height_ratios=(1, 0.035),
        left=0.055, right=0.985, bottom=0.14, top=0.9, wspace=0.02, hspace=0.4,
    )  # fmt: skip
    panels = [(name, term, palette.signed, signed_norm(largest)) for name, term in signed.items()]
    panels.append(("weights", terms.weights, palette.weights, weight_norm(scale)))
    for index, (name, term, cmap, norm) in enumerate(panels):
        axes = figure.add_subplot(grid[0, 2 * index])
        draw_map(axes, trace, term, cmap, norm, cells=TERM_CELLS)
        barred = bool(term.isneginf().any())
        title = f"{name}  (grey: barred)" if barred else name
        dress(axes, palette, title=title, x="key (s)", y="query (s)" if index == 0 else "")
        axes.set_facecolor(palette.line if barred else palette.background)  # minus infinity is drawn as nothing
        axes.tick_params(labelleft=index == 0)
        bar = figure.add_subplot(grid[1, 2 * index])
        label = f"weight ({scale})" if index == 3 else "added to the logit"
        add_colour_bar(bar, cmap, norm, palette, label, horizontal=True)
    for index, sign in enumerate(("+", "=", "softmax\n→")):
        axes = figure.add_subplot(grid[0, 2 * index + 1])
        axes.axis("off")
        axes.text(0.5, 0.5, sign, ha="center", va="center", color=palette.ink, fontsize=15 if index < 2 else 8.5)
    note = pooling_note(trace.num_frames, TERM_CELLS)
    figure.text(0.985, 0.965, note, ha="right", color=palette.muted, fontsize=LABEL_SIZE - 1)
    return figure


# A step to the next head draws the same small maps again: those of each trace are kept as long as the trace itself.
_known_thumbnails: WeakKeyDictionary[Trace, dict[int, list[Tensor]]] = WeakKeyDictionary()


def _thumbnails(trace: Trace, layer: int) -> list[Float[Tensor, "pooled pooled"]]:
    """The maps of all heads of a layer, and last their mean, max-pooled to at most THUMBNAIL_CELLS."""
    known = _known_thumbnails.setdefault(trace, {})
    if layer not in known:
        heads = trace.attention_overview(layer, cells=THUMBNAIL_CELLS)
        known[layer] = [*heads, trace.mean_attention_overview(layer, THUMBNAIL_CELLS)]
    return known[layer]
