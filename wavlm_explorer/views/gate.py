"""The gate: how each frame decides how much its position counts."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..figures.gate import (
    gate_attention,
    gate_bias,
    gate_compounding,
    gate_formula,
    gate_over_time,
    gate_parts,
    gate_paths,
)
from ..figures.style import Palette
from ..gates import (
    GATE_SOURCES,
    GatedRows,
    HeadGate,
    compounded_gates,
    gate_from,
    gated_rows,
    gates_by_layer,
    has_gate,
    head_gate,
)
from ..tracing import Trace
from ..wording import duration, signed
from .view import Choice, Exhibit, Item, Lesson, Note, View, Working, choose_frame, choose_head, choose_layer

TRIED = (0.0, 1.0, 2.0)  # gates, beside the frame's own

LESSON = Lesson(
    what=(
        "Each head adds a learned **bias** for the distance to how much one frame looks at another (the page *Relative "
        "positions* shows it). The **gate** is the number that this bias is multiplied by: at 0 only content counts, "
        "at 1 the bias counts as the table holds it, at 2 twice as much. Every frame has a gate of its own in every "
        "head, and makes it itself, out of what enters the layer."
    ),
    equation=(
        r"\begin{split} g_i &= a\,(b\,c - 1) + 2 \\ a &= \sigma(z_0 + z_1 + z_2 + z_3) \\ "
        r"b &= \sigma(z_4 + z_5 + z_6 + z_7) \\ z &= W x_i + \beta \end{split}"
    ),
    symbols=(
        (r"g_i", "the gate of frame i: its bias counts so many times"),
        (r"x_i", "this head's share of what enters the layer for frame i"),
        (r"z", "eight projections of it; W and β (grep_linear) serve all heads of the layer"),
        (r"a,\ b", "two numbers between 0 and 1, for σ is the sigmoid"),
        (r"c", "a number that each head learns (grep_a)"),
    ),
    try_this=(
        "With *nano* and the sample sentence, choose layer 5 and head 2, and move the frame along: in which sounds is "
        "the gate near 0.5, in which near 2? (An *s* is dark high up in the spectrogram, a vowel low down.) Then take "
        "head 5: how far would the same frame look if its gate were 0?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head and frame."""
    return choose_layer(trace), choose_head(trace), choose_frame(trace)


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Iterator[Item]:
    """Yield the gate over time, its equation with this frame's numbers, what it does, and what other paths make of it.

    Without a gate there is a demonstration: what the formula allows, and what gates would do to this model's bias.
    """
    if not has_gate(trace):
        yield from _demonstration(trace, palette, layer, head, frame)
        return
    yield _over_time(trace, palette, layer, head, frame)
    parts = head_gate(trace, layer, head)
    if not torch.allclose(parts.terms.gate, trace.gate(layer)[head], atol=1e-4):
        yield Note(
            "An intervention **fixes the gate** of this head: above is the gate that acted. The next picture and the "
            "equation show what the model itself would have made of these frames."
        )
    yield _parts(trace, palette, parts, frame)
    yield work_through(parts, frame)
    yield from _rows(trace, palette, gated_rows(trace, layer, head, frame, TRIED), frame)
    yield _paths(trace, palette, layer, head, frame)
    yield _compounding(trace, palette, layer, head, frame)


def _demonstration(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Iterator[Exhibit | Note]:
    has_bias = trace.model.config.relative_position_embedding
    lacks = (
        "**no gate**: every frame takes the bias just as the table holds it, as if its gate were 1"
        if has_bias
        else "**no relative positions**, so there is no bias that a gate could multiply"
    )
    what = ", and where this frame would look if it had other gates" if has_bias else ""
    yield Note(
        f"This checkpoint has {lacks}. What follows is a **demonstration**: what the formula allows{what}. To see "
        "gates at work, choose *nano* as the model."
    )
    shares = np.linspace(0, 1, 101)
    yield Exhibit(
        "demonstration_formula",
        gate_formula(palette=palette),
        "Every gate that the formula allows, for c = 1: between 1 and 2. With a at 0 it is 2 whatever b is.",
        lambda: {"a": shares, "b": shares, "gate": shares[:, None] * (shares - 1) + 2},
    )
    if has_bias:
        rows = gated_rows(trace, layer, head, frame, (0.0, 2.0))
        yield from _rows(trace, palette, rows, frame, prefix="demonstration_")


def _over_time(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Exhibit:
    gates, seconds = trace.gate(layer), float(trace.frame_times[frame])
    gate, lowest, mean, highest = (
        float(number) for number in (gates[head, frame], gates[head].min(), gates[head].mean(), gates[head].max())
    )
    return Exhibit(
        "gate_over_time",
        gate_over_time(trace, layer, head, frame, palette),
        f"At {seconds:.2f} s, in frame {frame}, the gate of head {head} is {gate:.2f}: so many times its bias counts "
        f"there. Over the clip it lies between {lowest:.2f} and {highest:.2f} (mean {mean:.2f}).",
        lambda: {"gate": gates.numpy(), "frame_times": trace.frame_times.numpy()},
        share=0.5,
    )


def _parts(trace: Trace, palette: Palette, parts: HeadGate, frame: int) -> Exhibit:
    c = float(parts.scale)
    return Exhibit(
        "gate_parts",
        gate_parts(trace, parts, frame, f"Frame {frame}", palette),
        "Left, the eight projections of the frame. Right, every gate that this head can have; the large dot is this "
        f"frame, each small one another. At the bottom, a = 0, the gate is 2 whatever b is; at the top it goes from 1 "
        f"to 1 + c = {1 + c:.2f}.".replace("-", "−"),
        lambda: _parts_arrays(trace, parts),
        share=0.5,
    )


def _parts_arrays(trace: Trace, parts: HeadGate) -> dict[str, np.ndarray]:
    arrays = {"x": parts.inputs, "weight": parts.weight, "bias": parts.bias, "c": parts.scale}
    terms = {"z" if name == "features" else name: term for name, term in parts.terms._asdict().items()}
    return {name: term.numpy() for name, term in (arrays | terms).items()} | {"frame_times": trace.frame_times.numpy()}


def work_through(parts: HeadGate, frame: int) -> Working:
    """Write one frame's gate out, first in symbols and then in its numbers, rounded to three decimals."""
    z, sums = parts.terms.features[frame].tolist(), parts.terms.sums[frame].tolist()
    a, b, gate, c = (
        float(number) for number in (parts.terms.a[frame], parts.terms.b[frame], parts.terms.gate[frame], parts.scale)
    )
    return Working((
        (
            f"The frame's {parts.inputs.shape[1]} numbers are projected to eight. The sigmoid of the first four's sum "
            "is **a**.",
            _half("a", 0, z[:4], sums[0], a),
        ),
        ("The sigmoid of the last four's sum is **b**.", _half("b", 4, z[4:], sums[1], b)),
        (
            "With **c**, which the head has learned, they make the **gate**. (All numbers are rounded.)",
            rf"\begin{{split}} g &= a\,(b\,c - 1) + 2 \\ &= {a:.3f}\,({b:.3f} \cdot {_bracketed(c)} - 1) + 2 \\ "
            rf"&= {gate:.3f} \end{{split}}",
        ),
    ))  # fmt: skip


def _half(name: str, first: int, z: list[float], total: float, share: float) -> str:
    symbols = " + ".join(f"z_{index}" for index in range(first, first + 4))
    numbers = "".join(f" {number:+.3f}" for number in z).strip(" +")
    return (
        rf"\begin{{split}} s_{name} &= {symbols} \\ &= {numbers} \\ &= {total:.3f} \\ "
        rf"{name} &= \sigma(s_{name}) = \tfrac{{1}}{{1 + e^{{-s_{name}}}}} \\ &= {share:.3f} \end{{split}}"
    )


def _bracketed(number: float) -> str:
    return f"{number:.3f}" if number >= 0 else f"({number:.3f})"


def _rows(trace: Trace, palette: Palette, rows: GatedRows, frame: int, prefix: str = "") -> Iterator[Exhibit]:
    def arrays() -> dict[str, np.ndarray]:
        return {name: term.numpy() for name, term in rows._asdict().items()} | {
            "frame_times": trace.frame_times.numpy()
        }

    lowest, highest = float(rows.position[0].min()), float(rows.position[0].max())
    yield Exhibit(
        f"{prefix}gate_bias",
        gate_bias(trace, rows, frame, palette),
        f"The head's bias at each distance, times the gate: as it is, from {signed(lowest)} to {signed(highest)}. Of "
        "two keys with the same content, one whose curve is higher by 1 gets e = 2.7 times the weight.",
        arrays,
        share=0.5,
    )
    yield Exhibit(
        f"{prefix}gate_attention",
        gate_attention(trace, rows, frame, palette),
        describe_rows(rows),
        arrays,
        share=0.5,
    )


def describe_rows(rows: GatedRows) -> str:
    """Say in words how far the frame looks under each gate, and how much of its attention a gate of 0 would move."""
    own, *others = (duration(float(distance)) for distance in rows.distance_ms)
    moved = float((rows.weights[1] - rows.weights[0]).abs().sum() / 2)
    rest = "".join(
        f"; at {gate:g}, {distance}" for gate, distance in zip(rows.gates[2:].tolist(), others[1:], strict=True)
    )
    return (
        f"With the gate at 0 this frame looks {others[0]} away on average instead of {own}, and {moved:.0%} of its "
        f"attention goes elsewhere{rest}."
    )


def _paths(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Exhibit:
    gates = {source: gate_from(trace, layer, source)[head] for source in GATE_SOURCES}
    shrunk = math.sqrt(trace.model.config.encoder_embed_dim / trace.num_heads)
    fast, slow, paper = (f"{float(gates[name].mean()):.2f}" for name in ("fast path", "slow path", "paper"))
    return Exhibit(
        "gate_paths",
        gate_paths(trace, gates, frame, palette),
        "One formula, three vectors that it may read. The fast path of the original code reads x, what enters the "
        "layer: z = W x + β; so do all released models, and this page. The paper reads the query made of it: "
        f"z = W q + β. The slow path reads the query divided by √d: z = W q / {shrunk:.1f} + β. The mean gate would be "
        f"{fast}, {paper} and {slow}; these weights were trained with the first.",
        lambda: (
            {name.replace(" ", "_"): gate.numpy() for name, gate in gates.items()}
            | {"frame_times": trace.frame_times.numpy()}
        ),
        share=0.5,
    )


def _compounding(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Exhibit:
    fast, slow = gates_by_layer(trace, frame), compounded_gates(trace, frame)
    last = trace.num_layers - 1
    return Exhibit(
        "gate_compounding",
        gate_compounding(fast, slow, layer, head, palette),
        "The fast path hands the table's bias on as it is, and each layer gates it once. The slow path hands it on "
        f"gated, so the gates multiply: by layer {last}, the last, this frame's bias counts {_times(slow[last, head])} "
        f"instead of {_times(fast[last, head])}. (Gates of the states that this model really computes.)",
        lambda: {"fast_path": fast.numpy(), "slow_path_compounded": slow.numpy()},
        share=0.5,
    )


def _times(factor: Tensor) -> str:
    return f"{float(factor):,.3g} times".replace("-", "−")


VIEW = View("gate", "Gate", "gate", LESSON, exhibits, choices, order=30)
