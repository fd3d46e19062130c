"""Pictures of the gate of one head and frame: over the clip, what it is made of, what it does, and on other paths."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, SymmetricalLogLocator
from torch import Tensor

from ..gates import GatedRows, HeadGate
from ..modules.gate import NUM_GATE_FEATURES
from ..tracing import Trace
from .panels import HEIGHT_INCHES, WIDTH_INCHES, add_legend, over_time
from .style import LABEL_SIZE, LIGHT, TITLE_SIZE, Palette, Picture, dress, signed_norm

FORMULA_CELLS = 201
WINDOW_SECONDS = 6.0  # around the frame, where its row is drawn as a curve


def gate_over_time(trace: Trace, layer: int, head: int, frame: int, palette: Palette = LIGHT) -> Picture:
    """The gates of all heads of a layer over the clip, one head's standing out, with the frame marked.

    Raises: IndexError for a layer, head or frame that is not there.
    """
    gates = trace.gate(layer)
    layer, chosen = range(trace.num_layers)[layer], range(trace.num_heads)[head]
    figure, axes = over_time(trace, f"Gate of layer {layer} over time", palette, frame)
    times = trace.frame_times.numpy()
    axes.plot(times, gates[chosen].numpy(), color=palette.accent, linewidth=1.8, zorder=3, label=f"head {chosen}")
    axes.plot(times[frame], float(gates[chosen, frame]), "o", color=palette.accent, markersize=6, zorder=3)
    _draw_others(axes, times, gates, chosen, palette)
    _scale_gates(axes, gates, palette)
    add_legend(axes, palette)
    return figure


def gate_parts(trace: Trace, parts: HeadGate, frame: int, title: str = "", palette: Palette = LIGHT) -> Picture:
    """The eight projections of one frame, and where they put it among all gates that the head can have.

    Raises: IndexError for a frame that is not there.
    """
    terms = parts.terms
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    bars, formula = figure.add_axes((0.1, 0.15, 0.42, 0.73)), figure.add_axes((0.6, 0.15, 0.365, 0.73))
    _draw_features(bars, terms.features[frame], terms.sums[frame], palette)
    dress(bars, palette, title=title, y="z")
    _draw_formula(formula, float(parts.scale), palette)
    formula.plot(terms.b.numpy(), terms.a.numpy(), "o", color=palette.ink, markersize=2.5, alpha=0.35, linewidth=0)
    formula.plot(
        float(terms.b[frame]), float(terms.a[frame]), "o", color=palette.accent, markersize=9,
        markeredgecolor=palette.background, markeredgewidth=1.5, clip_on=False,
    )  # fmt: skip
    return figure


def gate_formula(scale: float = 1.0, palette: Palette = LIGHT) -> Picture:
    """Every gate that the formula allows, for one value of the learned scale c."""
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    _draw_formula(figure.add_axes((0.24, 0.15, 0.52, 0.73)), scale, palette)
    return figure


def gate_bias(trace: Trace, rows: GatedRows, frame: int, palette: Palette = LIGHT) -> Picture:
    """What position adds to the logits of one frame under several gates.

    Raises: IndexError for a frame that is not there.
    """
    figure, axes = over_time(trace, "What position adds: gate × bias", palette, frame, WINDOW_SECONDS)
    _draw_settings(axes, trace, rows, rows.position, palette)
    axes.axhline(0, color=palette.line, linewidth=0.8, zorder=0)
    dress(axes, palette, x="key: the frame looked at (s)", y="added to the logit")
    return figure


def gate_attention(trace: Trace, rows: GatedRows, frame: int, palette: Palette = LIGHT) -> Picture:
    """Where one frame looks under several gates.

    Raises: IndexError for a frame that is not there.
    """
    figure, axes = over_time(
        trace, "Where the frame looks: softmax(content + gate × bias)", palette, frame, WINDOW_SECONDS
    )
    _draw_settings(axes, trace, rows, rows.weights, palette)
    axes.set(ylim=(0, 1.06 * float(rows.weights.max()) or 1))
    axes.set_yscale("function", functions=(np.sqrt, np.square))  # as the colours of maps
    axes.yaxis.set_major_locator(FixedLocator([0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]))
    dress(axes, palette, x="key: the frame looked at (s)", y="weight (square root)")
    return figure


def gate_paths(
    trace: Trace, gates: Mapping[str, Float[Tensor, " frames"]], frame: int, palette: Palette = LIGHT
) -> Picture:
    """One head's gate over the clip, fed as the released models feed it and in the other ways.

    gates: source -> gate, for sources among GATE_SOURCES.

    Raises: IndexError for a frame that is not there; KeyError for another source.
    """
    figure, axes = over_time(trace, "Three ways to feed one gate", palette, frame)
    for source, gate in gates.items():
        colour, dashes, width = {
            "fast path": (palette.accent, "-", 1.8),
            "slow path": (palette.ink, "--", 1.2),
            "paper": (palette.contrast, "-", 1.2),
        }[source]
        axes.plot(trace.frame_times.numpy(), gate.numpy(), dashes, color=colour, linewidth=width, label=source)
    _scale_gates(axes, torch.stack([*gates.values()]), palette)
    add_legend(axes, palette)
    return figure


def gate_compounding(
    fast: Float[Tensor, "layers heads"],
    slow: Float[Tensor, "layers heads"],
    layer: int,
    head: int,
    palette: Palette = LIGHT,
) -> Picture:
    """What the table's bias is multiplied by in each layer: handed on as it is (fast), and handed on gated (slow).

    fast, slow: of one frame, such as `gates_by_layer` and `compounded_gates` give them.

    Raises: IndexError for a layer or head that is not there.
    """
    layers, chosen = np.arange(len(slow)), range(slow.shape[1])[head]
    figure = Picture(WIDTH_INCHES, HEIGHT_INCHES, palette)
    axes = figure.add_axes((0.1, 0.15, 0.87, 0.66))
    lines = (
        ("slow path: all gates so far", slow, palette.ink, "--"),
        ("fast path: one gate", fast, palette.accent, "-"),
    )
    for name, factors, colour, dashes in lines:
        axes.plot(
            layers, factors[:, chosen].numpy(), dashes, color=colour, linewidth=1.8, marker="o", markersize=4,
            label=name, zorder=3,
        )  # fmt: skip
    _draw_others(axes, layers, slow.T, chosen, palette)
    axes.axvline(range(len(slow))[layer], color=palette.contrast, linewidth=1.2, zorder=1)
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    _scale_factors(axes, torch.cat([fast[:, chosen], slow.flatten()]))
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    dress(axes, palette, x="layer", y="the bias is multiplied by")
    figure.text(0.1, 0.925, "Handed on gated, the bias is gated again", color=palette.ink, fontsize=TITLE_SIZE)
    add_legend(axes, palette)
    return figure


def _draw_others(
    axes: Axes, places: np.ndarray, values: Float[Tensor, "heads places"], chosen: int, palette: Palette
) -> None:
    """The curves of all heads but one, faint, behind it."""
    others = [row for head, row in enumerate(values.numpy()) if head != chosen]
    for index, row in enumerate(others):
        name = "" if index else "the other heads"
        axes.plot(places, row, color=palette.muted, linewidth=0.9, alpha=0.45, label=name, zorder=2)


def _scale_factors(axes: Axes, factors: Float[Tensor, "..."]) -> None:
    """Logarithmic above 1, linear below, for a gate may be zero or negative."""
    axes.set_yscale("symlog", linthresh=1)
    lowest, highest = float(factors.min()), float(factors.max())
    axes.set_ylim(0.9 if lowest >= 1 else min(0.0, 1.1 * lowest), 1.4 * max(2.0, highest))
    axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=[1, 2, 5]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"×{factor:g}".replace("-", "−")))


def _gate_norm(gates: Float[Tensor, "heads frames"]) -> Normalize:
    """The scale of gates: 0 to 2 around 1, which leaves the bias as it is; -1 to 3, ... where they need it."""
    return signed_norm(max(1, math.ceil(float((gates - 1).abs().max()))), centre=1.0)


def _scale_gates(axes: Axes, gates: Float[Tensor, "rows frames"], palette: Palette) -> None:
    lowest, highest = min(0.0, float(gates.min())), max(2.0, float(gates.max()))
    axes.set_ylim(lowest, highest + 0.06 * (highest - lowest))
    axes.axhline(1, color=palette.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    dress(axes, palette, x="time (s)", y="gate")


def _draw_settings(
    axes: Axes, trace: Trace, rows: GatedRows, values: Float[Tensor, "gates keys"], palette: Palette
) -> None:
    """One curve for each gate, the frame's own first and bold."""
    styles = [
        (palette.accent, "-", 2.0),
        (palette.muted, "-", 1.3),
        (palette.contrast, "--", 1.3),
        (palette.ink, ":", 1.5),
    ]
    for index, (gate, row) in enumerate(zip(rows.gates.tolist(), values.numpy(), strict=True)):
        colour, dashes, width = styles[index]
        name = f"{gate:.2f}, as it is" if index == 0 else f"{gate:g}"
        axes.plot(trace.frame_times.numpy(), row, dashes, color=colour, linewidth=width, label=name, zorder=4 - index)
    add_legend(axes, palette, "gate")


def _draw_features(axes: Axes, features: Float[Tensor, " 8"], sums: Float[Tensor, " 2"], palette: Palette) -> None:
    """Eight bars, four to either sum, each with its number."""
    half = NUM_GATE_FEATURES // 2
    colours = [palette.accent] * half + [palette.contrast] * half
    axes.bar(range(NUM_GATE_FEATURES), features.numpy(), color=colours, width=0.75)
    axes.axhline(0, color=palette.muted, linewidth=0.8)
    axes.axvline(half - 0.5, color=palette.line, linewidth=0.8)
    reach = max(float(features.abs().max()), 0.1)
    axes.set_ylim(-1.3 * reach, 1.5 * reach)
    for index, feature in enumerate(features.tolist()):
        axes.annotate(
            f"{feature:.1f}".replace("-", "−"), (index, feature), (0, 3 if feature >= 0 else -3),
            textcoords="offset points", ha="center", va="bottom" if feature >= 0 else "top",
            fontsize=LABEL_SIZE - 1.5, color=palette.ink,
        )  # fmt: skip
    for index, name in enumerate("ab"):
        axes.text(
            (index + 0.5) / 2, 0.975, f"sum {float(sums[index]):.2f} → {name}".replace("-", "−"), ha="center", va="top",
            transform=axes.transAxes, fontsize=LABEL_SIZE - 1, color=colours[index * half],
        )  # fmt: skip
    axes.set_xticks(range(NUM_GATE_FEATURES), [f"$z_{index}$" for index in range(NUM_GATE_FEATURES)])


def _draw_formula(axes: Axes, scale: float, palette: Palette) -> None:
    """The gate over all a and b, with lines of equal gates."""
    shares = np.linspace(0, 1, FORMULA_CELLS)
    gates = shares[:, None] * (shares[None, :] * scale - 1) + 2  # [a, b]
    norm = _gate_norm(Tensor(gates))
    axes.imshow(gates, cmap=palette.signed, norm=norm, extent=(0, 1, 0, 1), origin="lower", aspect="auto", alpha=0.75)
    corners = ((0.05, 0.95, gates[-1, 0], "left", "top"), (0.95, 0.95, gates[-1, -1], "right", "top"),
               (0.5, 0.05, gates[0, 0], "center", "bottom"))  # fmt: skip
    for x, y, gate, horizontal, vertical in corners:
        axes.text(x, y, f"{gate:.3g}", ha=horizontal, va=vertical, fontsize=LABEL_SIZE, color=palette.ink)
    dress(axes, palette, title=f"Gate for c = {scale:.2f}".replace("-", "−"), x="b", y="a")
    axes.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
