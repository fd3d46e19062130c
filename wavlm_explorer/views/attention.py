"""Attention: where each frame looks, head by head, and what decides it."""

from collections.abc import Iterator

import torch

from ..figures.attention import attention_heads, attention_map, attention_terms
from ..figures.style import WEIGHT_SCALES, Palette
from ..measures import attention_span
from ..tracing import AttentionTerms, Trace
from .view import Choice, Exhibit, Lesson, Option, View, choose_head, choose_layer

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
    weights, times = trace.attention(layer, head), trace.frame_times.numpy()
    yield Exhibit(
        "attention_map",
        attention_map(trace, layer, head, scale, palette),
        f"On average a frame of this head looks {_span(trace, weights)} away, and its largest weight is "
        f"{float(weights.max()):.2f}. Were all frames looked at alike, each would get {1 / trace.num_frames:.4f}.",
        lambda: {"weights": weights[0].numpy(), "frame_times": times},
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
    terms = trace.attention_terms(layer, head)
    residual = float((terms.content + terms.gate[:, None] * terms.bucket_bias - terms.logits).abs().max())
    decides = _what_decides(terms)
    yield Exhibit(
        "attention_terms",
        attention_terms(trace, layer, head, scale, palette),
        f"Head {head} taken apart. {decides} The terms add up to the logits "
        + ("exactly." if residual == 0 else f"within {residual:.0e}."),
        lambda: {name: term.numpy() for name, term in terms._asdict().items()} | {"frame_times": times},
    )


def _span(trace: Trace, weights: torch.Tensor) -> str:
    seconds = float(attention_span(weights, trace.model.config.frame_seconds)[0])
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _what_decides(terms: AttentionTerms) -> str:
    position, content = (float(term.var(dim=-1, correction=0).mean()) for term in (terms.position, terms.content))
    if position + content == 0:
        return "Nothing varies along the rows of its logits."
    share = position / (position + content)
    return f"Position accounts for {share:.0%} of what varies along the rows of its logits, content for the rest."


VIEW = View("attention", "Attention", "grid_on", LESSON, exhibits, choices)
