"""Attention: where each frame looks, head by head, and what decides it."""

import math
from collections.abc import Iterator

import numpy as np
import torch

from ..capacity import FLOAT_BYTES, is_comfortable
from ..figures.attention import attention_heads, attention_map, attention_row, attention_terms
from ..figures.style import WEIGHT_SCALES, Palette
from ..measures import MEASURE_NAMES
from ..pooling import pooling_factor
from ..tracing import AttentionTerms, Trace
from ..wording import duration
from .view import Choice, Exhibit, Item, Lesson, Note, Option, Table, View, choose_frame, choose_head, choose_layer

CHECKED_ROWS = 500  # of the terms, that they add up
NUM_TERMS = 5  # that are maps
MOST_SAVED = 25_000_000  # weights in one file of numbers: 100 MB
MEASURE_COLUMNS = {
    "span_ms": "span (ms)",
    "entropy": "entropy (0 to 1)",
    "diagonality": "diagonality",
    "verticality": "verticality (nats)",
    "globalness": "globalness (nats)",
    "position_share": "position share",
}

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
    """Layer, head, how weights become colours, and the frame whose row is drawn by itself."""
    scale = Option(
        "scale",
        "Colour scale",
        "Fixed from map to map. Logarithmic shows the faintest weights, linear only strong ones.",
        WEIGHT_SCALES,
        WEIGHT_SCALES[0],
    )
    return choose_layer(trace), choose_head(trace), scale, choose_frame(trace)


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, scale: str, frame: int) -> Iterator[Item]:
    """Yield one head's map, all heads of the layer, one row of the map, the head's terms, and every head in numbers."""
    largest = float(trace.attention_overview(layer, head).max())
    measured = {name: float(values[0, head]) for name, values in trace.measures([layer]).items()}
    yield Exhibit(
        "attention_map",
        attention_map(trace, layer, head, scale, palette),
        f"On average a frame of this head looks {duration(measured['span_ms'])} away, and its largest weight is "
        f"{largest:.2f}. Were all frames looked at alike, each would get {1 / trace.num_frames:.4f}."
        + _what_is_saved(trace, 1),
        lambda: _maps(trace, layer, head),
        share=0.56,
    )
    yield Exhibit(
        "attention_heads",
        attention_heads(trace, layer, head, scale, palette),
        f"All {trace.num_heads} heads of layer {layer}, and their mean: the only map that most tools can show, "
        "although no head of the model looks like it." + _what_is_saved(trace, trace.num_heads),
        lambda: _maps(trace, layer),
        share=0.44,
    )
    yield _row(trace, palette, layer, head, frame)
    terms = trace.attention_terms(layer, head, slice(0, CHECKED_ROWS))
    differences = terms.content + terms.gate[:, None] * terms.bucket_bias - terms.logits
    residual = float(differences.masked_fill(terms.logits.isneginf(), 0).abs().max())
    decides = _what_decides(measured["position_share"], terms)
    yield Exhibit(
        "attention_terms",
        attention_terms(trace, layer, head, scale, palette),
        f"Head {head} taken apart. {decides} The terms add up to the logits "
        + ("exactly." if residual == 0 else f"within {residual:.0e}.")
        + _what_is_saved(trace, NUM_TERMS),
        lambda: _terms(trace, layer, head),
    )
    yield _all_heads(trace)


def _row(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Exhibit:
    weights = trace.attention(layer, head, slice(frame, frame + 1))[0, 0]
    peak, time = int(weights.argmax()), float(trace.frame_times[frame])
    steps = abs(peak - frame) * 1000 * trace.model.config.frame_seconds
    away = f"{duration(steps)} {'back' if peak < frame else 'ahead'}" if steps else "at itself"
    half = int((weights.sort(descending=True).values.double().cumsum(dim=0) < 0.5).sum()) + 1
    return Exhibit(
        "attention_row",
        attention_row(trace, layer, head, frame, palette),
        f"Frame {frame}, at {time:.2f} s, looks most {away}, with weight {float(weights[peak]):.2f}. "
        f"{half} of {trace.num_frames} frames have half of its attention."
        if weights.any()
        else f"To frame {frame}, at {time:.2f} s, no key is left: interventions bar them all, and its weights are 0.",
        lambda: {"weights": weights.numpy(), "frame": np.array(frame), "frame_times": trace.frame_times.numpy()},
    )


def _all_heads(trace: Trace) -> Table | Note:
    if not is_comfortable(trace.num_layers, trace.num_heads, trace.num_frames):
        return Note(
            "The measures of **all heads** would take minutes for so long a clip: `trace.sampled_measures()` tells "
            "them from some of the rows."
        )
    measures = trace.measures()
    numbers = torch.stack([measures[name] for name in MEASURE_NAMES], dim=-1)  # [layers, heads, measures]
    rows = tuple(
        (layer, head, *(float(f"{number:.4g}") for number in numbers[layer, head].tolist()))
        for layer in range(trace.num_layers)
        for head in range(trace.num_heads)
    )
    return Table(
        "all_heads",
        f"All {len(rows)} heads in numbers",
        ("layer", "head", *(MEASURE_COLUMNS[name] for name in MEASURE_NAMES)),
        rows,
        "Span: how far away a frame looks, on average. Entropy: 0 where it looks at one frame, 1 where at all alike. "
        "Position share: what part of the logits' variance comes from distance, not from content.",
    )


def _cells(num_maps: int) -> int:
    """How many cells along an axis so many maps may have to be saved in one file."""
    return math.isqrt(MOST_SAVED // num_maps)


def _what_is_saved(trace: Trace, num_maps: int) -> str:
    """Say so where a clip is too long for its numbers to be saved one by one."""
    factor = pooling_factor(trace.num_frames, _cells(num_maps))
    if factor == 1:
        return ""
    gigabytes = FLOAT_BYTES * num_maps * trace.num_frames**2 / 1e9
    return (
        f" Saved as numbers, each is the largest of {factor} × {factor} frames: all of them would be {gigabytes:.1f} "
        "GB. The library gives any rows as they are."
    )


def _maps(trace: Trace, layer: int, head: int | None = None) -> dict[str, np.ndarray]:
    cells = _cells(trace.num_heads if head is None else 1)
    factor = pooling_factor(trace.num_frames, cells)
    weights = trace.attention(layer, head) if factor == 1 else trace.attention_overview(layer, head, cells)
    return {"weights": (weights if head is None else weights[0]).numpy()} | _times(trace, factor)


def _terms(trace: Trace, layer: int, head: int) -> dict[str, np.ndarray]:
    cells = _cells(NUM_TERMS)
    factor = pooling_factor(trace.num_frames, cells)
    terms = trace.attention_terms(layer, head) if factor == 1 else trace.terms_overview(layer, head, cells)
    return {name: term.numpy() for name, term in terms._asdict().items()} | _times(trace, factor)


def _times(trace: Trace, factor: int) -> dict[str, np.ndarray]:
    return {"frame_times": trace.frame_times.numpy(), "frames_per_cell": np.array(factor)}


def _what_decides(share: float, terms: AttentionTerms) -> str:
    if not (terms.content != terms.content[:, :1]).any() and not (terms.position != terms.position[:, :1]).any():
        return "Nothing varies along the rows of its logits."
    return f"Position accounts for {share:.0%} of what varies along the rows of its logits, content for the rest."


VIEW = View("attention", "Attention", "grid_on", LESSON, exhibits, choices, section="", order=10)
