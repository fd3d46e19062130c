"""What each measure of a head means, in a sentence, as a formula, and whose it is."""

from functools import cache
from typing import NamedTuple

from latex2mathml.converter import convert

AUDIO_TRANSFORMERS = "Yang, Liu & Lee 2020, arXiv 2006.03265, section 3"
STRUCTURE = "Vig & Belinkov 2019, arXiv 1906.04284"


class Definition(NamedTuple):
    """A number that every head has, for a page that teaches."""

    name: str
    label: str
    sentence: str
    formula: str  # LaTeX; A is the map, T the number of frames, H the entropy
    source: str


DEFINITIONS = (  # as `measures.MEASURE_NAMES`
    Definition(
        "span_ms",
        "Span",
        "How far away a frame looks: the time between it and what it attends to, averaged with the weights.",
        r"\frac{20\,\mathrm{ms}}{T} \sum_{i,j} A_{ij} \, |i - j|",
        f"the attention distance of {STRUCTURE}, in time",
    ),
    Definition(
        "entropy",
        "Entropy",
        "How widely a frame looks: 0 when it attends to a single frame, 1 when it attends to all alike.",
        r"\frac{1}{T \ln T} \sum_i H(A_i), \quad H(p) = -\sum_j p_j \ln p_j",
        "globalness as a share of the most there can be",
    ),
    Definition(
        "diagonality",
        "Diagonality",
        "How close to its own diagonal a map stays: 0 when every frame attends to itself, "
        "more negative the farther they look, as a share of the clip.",
        r"-\frac{1}{T^2} \sum_{i,j} A_{ij} \, |i - j|",
        AUDIO_TRANSFORMERS,
    ),
    Definition(
        "verticality",
        "Verticality",
        "Whether all frames look at the same place, which draws a vertical line: 0 when all attend to one frame, "
        "more negative the more evenly attention falls on the clip.",
        r"-H\!\Big(\frac{1}{T} \sum_i A_i\Big)",
        AUDIO_TRANSFORMERS,
    ),
    Definition(
        "globalness",
        "Globalness",
        "How many frames share a frame's attention, as an entropy: 0 for one, ln T for all of them.",
        r"\frac{1}{T} \sum_i H(A_i)",
        AUDIO_TRANSFORMERS,
    ),
    Definition(
        "position_share",
        "Position share",
        "What decides: the part of the logits' variance along a row that comes from the distance between frames "
        "(gate × bias); the rest comes from what the frames contain.",
        r"\frac{\sum_i \operatorname{Var}_j\big(g_i B_{j-i}\big)}"
        r"{\sum_i \operatorname{Var}_j\big(g_i B_{j-i}\big) + \sum_i \operatorname{Var}_j\big(q_i k_j / \sqrt{d}\big)}",
        "WavLM Explorer's own, for WavLM's two terms (arXiv 2110.13900, section 3)",
    ),
)

MOVED = Definition(
    "moved",
    "Share that moves",
    "How much of a frame's attention goes elsewhere with the change: 0 for none, 1 for all of it.",
    r"\frac{1}{2T} \sum_{i,j} | A'_{ij} - A_{ij} |",
    "the total variation distance, mean over the frames, of its map A and the one with the change",
)
IMPORTANCE = Definition(
    "importance",
    "Importance",
    "How far the output moves, of its length, when this head alone hands on nothing; no other change is made.",
    r"\frac{\lVert x' - x \rVert}{\lVert x \rVert}",
    "leave one out: the output with the head, and without",
)


@cache
def definitions_for_browser(definitions: tuple[Definition, ...] = DEFINITIONS) -> list[dict[str, str]]:
    """Definitions with their formulas as MathML, which browsers set themselves."""
    return [{**entry._asdict(), "formula": convert(entry.formula, display="block")} for entry in definitions]
