"""Buckets: how WavLM knows where a frame stands, and what each head made of it."""

from collections.abc import Iterator

import numpy as np
import torch

from ..bias import BiasCurves, bucket_rule, clip_buckets, learned_bias
from ..figures.bias import bias_curves, gate_track
from ..figures.buckets import bucket_function, bucket_matrix, duration
from ..figures.style import Palette
from ..modules.positions import relative_position_buckets
from ..tracing import Trace
from .view import Choice, Exhibit, Lesson, Note, View, choose_head, choose_layer

LESSON = Lesson(
    what=(
        "Attention alone cannot tell near from far. So WavLM keeps a **table** with one number for each head and each "
        "*bucket* of distances, and adds it to how much frame i looks at frame j. Near distances have a bucket each; "
        "far ones share, and the further the more. One table serves all layers; in each of them a **gate** decides, "
        "frame by frame, how much it counts."
    ),
    equation=(
        r"b(d) = \begin{cases} |d| & |d| < m \\[4pt] \min\!\Big(n-1,\; m + \Big\lfloor (n-m)\,"
        r"\frac{\ln(|d|/m)}{\ln(D/m)} \Big\rfloor\Big) & |d| \ge m \end{cases}\;\; + \;\;n\,[d > 0]"
    ),
    symbols=(
        (r"d = j - i", "from the frame that looks to the frame looked at, in steps of 20 ms"),
        (r"b(d)", "the row of the table"),
        (r"n", "rows for each side, half of num_buckets: the past first, then the future"),
        (r"m", "half of n: nearer than this every step has a row of its own"),
        (r"D", "max_distance: from about here on all share the last row"),
    ),
    try_this=(
        "Step through the heads and find one that prefers the past and one that prefers what comes next. Then change "
        "the layer: the curve stays as it is, only the gate changes."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer (for its gate) and head."""
    return choose_layer(trace), choose_head(trace)


def exhibits(trace: Trace, palette: Palette, layer: int, head: int) -> Iterator[Exhibit | Note]:
    """Yield the rule, this clip's rows, what the heads learned, and the layer's gate."""
    has_bias = trace.model.config.relative_position_embedding
    if not has_bias:
        yield Note(
            "This checkpoint has **no relative positions**: its heads see content only, and nothing is added for "
            "distance. Below is the rule that its settings would describe."
        )
    try:
        yield _rule(trace, palette)
    except ValueError as error:
        yield Note(f"Its settings describe no buckets: {error}.")
        return
    yield _clip(trace, palette)
    if not has_bias:
        return
    yield _bias(trace, palette, head)
    if not trace.model.config.gru_rel_pos:
        yield Note("This checkpoint has **no gate**: every frame takes the bias just as the table holds it.")
        return
    yield _gate(trace, palette, layer, head)


def _rule(trace: Trace, palette: Palette) -> Exhibit:
    config = trace.model.config
    rule, hop = bucket_rule(config), 1000 * config.frame_seconds
    unused = f" Row {rule.unused[0]} is never used: it would be distance 0 in the future." if rule.unused else ""
    if len(rule.unused) > 1:
        unused = f" {len(rule.unused)} rows are never used."
    return Exhibit(
        "bucket_function",
        bucket_function(trace, palette),
        f"{config.num_buckets} rows, half for keys before the query and half for keys after it. Up to "
        f"{duration((rule.num_exact - 1) * hop)} each step of {hop:.0f} ms has its own row; from "
        f"{duration(rule.last_from * hop)} on there is one row for all.{unused}",
        lambda: {"distances_ms": rule.distances.numpy() * hop, "rows": rule.buckets.numpy()},
        share=0.5,
    )


def _clip(trace: Trace, palette: Palette) -> Exhibit:
    config = trace.model.config
    touched = len(clip_buckets(trace).unique())
    is_all = touched == config.num_buckets - len(bucket_rule(config).unused)
    rest = "all that any distance leads to" if is_all else "the others are for longer clips"
    return Exhibit(
        "bucket_matrix",
        bucket_matrix(trace, palette),
        f"This clip is {trace.num_frames * config.frame_seconds:.2g} s long and reads {touched} of the table's "
        f"{config.num_buckets} rows, {rest}. One row serves a whole diagonal.",
        lambda: {
            "rows": relative_position_buckets(trace.num_frames, config.num_buckets, config.max_distance).numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
        share=0.5,
    )


def _bias(trace: Trace, palette: Palette, head: int) -> Exhibit:
    curves = learned_bias(trace)
    return Exhibit(
        "bias_curves",
        bias_curves(trace, head, palette),
        f"{describe_head(trace, curves, head)} The same curve serves every layer.",
        lambda: {"distances_ms": curves.distances_ms.numpy(), "bias": curves.bias.numpy()},
    )


def describe_head(trace: Trace, curves: BiasCurves, head: int) -> str:
    """Say in words where a head's bias peaks among the distances of this clip, and what that is worth."""
    reach = 1000 * trace.model.config.frame_seconds * (trace.num_frames - 1)
    inside = curves.distances_ms.abs() <= reach + 1e-3
    distances, bias = curves.distances_ms[inside], curves.bias[head, inside]
    peak, typical = int(bias.argmax()), float(bias.median())
    gain = float(bias[peak]) - typical
    if gain < 1e-6:
        return f"Head {head} gives every distance in this clip the same bias."
    factor = float(np.exp(min(gain, 20)))
    worth = f"{factor:.3g} times" if factor < 1000 else "more than 1,000 times"
    return (
        f"Head {head} peaks {_name_place(float(distances[peak]))} at {_signed(float(bias[peak]))}. With equal content "
        f"and a gate of 1, that alone gives the key there {worth} the weight of one at a typical distance "
        f"({_signed(typical)})."
    )


def _signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−") if abs(number) >= 0.005 else "0"


def _name_place(milliseconds: float) -> str:
    if milliseconds == 0:
        return "at the frame itself"
    return f"{duration(abs(milliseconds))} {'back' if milliseconds < 0 else 'ahead'}"


def _gate(trace: Trace, palette: Palette, layer: int, head: int) -> Exhibit:
    gates = trace.gate(layer)
    lowest, mean, highest = (float(number) for number in (gates[head].min(), gates[head].mean(), gates[head].max()))
    strongest = int(torch.argmax(gates.std(dim=1, correction=0)))
    return Exhibit(
        "gate_track",
        gate_track(trace, layer, head, palette),
        f"In layer {layer} the gate of head {head} lies between {lowest:.2f} and {highest:.2f} (mean {mean:.2f}): its "
        f"bias counts so many times. The gate that moves most in this layer is that of head {strongest}.",
        lambda: {"gate": gates.numpy(), "frame_times": trace.frame_times.numpy()},
    )


VIEW = View("buckets", "Buckets", "straighten", LESSON, exhibits, choices, order=20)
