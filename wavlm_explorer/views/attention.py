"""Attention: where each frame looks, head by head, and what decides it."""

from collections.abc import Iterator

import numpy as np

from ..figures.attention import attention_heads, attention_map, attention_terms
from ..figures.style import WEIGHT_SCALES, Palette
from ..tracing import AttentionTerms, Trace
from .view import Choice, Exhibit, Lesson, Option, View, choose_head, choose_layer

CHECKED_ROWS = 500  # of the terms, that they add up

LESSON = Lesson(
    what=(
        "Every 20 ms WavLM makes a **frame** of the sound, and in every layer each frame gathers what it needs from "
        "the others. A row of the map is one frame (the *query*); the bright cells of that row are the frames it "
        "looks at (the *keys*). Each head has a map of its own, and each map is what the model really computed."
    ),
    equation=r"A_{ij} = \operatorname{softmax}_j\!\Big(\frac{q_i \cdot k_j}{\sqrt d} + g_i \, B_{b(j-i)}\Big)",
    symbols=(
        (r"A_{ij}", "how much frame i looks at frame j; a row sums to 1"),
        (r"q_i,\ k_j", "what frame i asks for, what frame j offers: the content"),
        (r"d", "numbers in each of them"),
        (r"B_{b(j-i)}", "the head's learned preference for the distance from i to j"),
        (r"g_i", "the gate: how much frame i cares about distance at all"),
    ),
    try_this=(
        "Step through the heads of one layer. Which look a little back, which ahead, which at themselves, and which at "
        "one sound wherever it occurs? Then look below, at whether content or position decided it."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head, and how weights become colours."""
    scale = Option(
        "scale",
        "Colour scale",
        "Fixed from map to map. Logarithmic shows the faintest weights, linear only strong ones.",
        WEIGHT_SCALES,
        WEIGHT_SCALES[0],
    )
    return choose_layer(trace), choose_head(trace), scale


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, scale: str) -> Iterator[Exhibit]:
    """Yield one head's map, all heads of the layer, and the head's terms."""
    largest = float(trace.attention_overview(layer, head).max())
    measured = {name: float(values[0, head]) for name, values in trace.measures([layer]).items()}
    times = trace.frame_times.numpy()
    yield Exhibit(
        "attention_map",
        attention_map(trace, layer, head, scale, palette),
        f"On average a frame of this head looks {_span(measured['span_ms'])} away, and its largest weight is "
        f"{largest:.2f}. Were all frames looked at alike, each would get {1 / trace.num_frames:.4f}.",
        lambda: {"weights": trace.attention(layer, head)[0].numpy(), "frame_times": times},
        share=0.56,
    )
    yield Exhibit(
        "attention_heads",
        attention_heads(trace, layer, head, scale, palette),
        f"All {trace.num_heads} heads of layer {layer}, and their mean: the only map that most tools can show, "
        "although no head of the model looks like it.",
        lambda: {"weights": trace.attention(layer).numpy(), "frame_times": times},
        share=0.44,
    )
    terms = trace.attention_terms(layer, head, slice(0, CHECKED_ROWS))
    residual = float((terms.content + terms.gate[:, None] * terms.bucket_bias - terms.logits).abs().max())
    decides = _what_decides(measured["position_share"], terms)
    yield Exhibit(
        "attention_terms",
        attention_terms(trace, layer, head, scale, palette),
        f"Head {head} taken apart. {decides} The terms add up to the logits "
        + ("exactly." if residual == 0 else f"within {residual:.0e}."),
        lambda: _terms_arrays(trace, layer, head) | {"frame_times": times},
    )


def _terms_arrays(trace: Trace, layer: int, head: int) -> dict[str, np.ndarray]:
    return {name: term.numpy() for name, term in trace.attention_terms(layer, head)._asdict().items()}


def _span(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _what_decides(share: float, terms: AttentionTerms) -> str:
    if not (terms.content != terms.content[:, :1]).any() and not (terms.position != terms.position[:, :1]).any():
        return "Nothing varies along the rows of its logits."
    return f"Position accounts for {share:.0%} of what varies along the rows of its logits, content for the rest."


VIEW = View("attention", "Attention", "grid_on", LESSON, exhibits, choices, section="", order=10)
