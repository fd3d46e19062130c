"""Chapter: the gated linear unit."""

from collections.abc import Iterator
from typing import Any

from ..demonstration import demonstration_terms
from ..figures.channels import glu_frame
from ..figures.style import Palette
from ..glu import CLOSED, gate_shares, own_glu_type
from ..modules import GLUTerms
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Note, choose_frame, choose_layer
from .chapter import Scene, Verdict

RARE = 0.9  # of all moments have fewer channels shut
DEMONSTRATED = "swish"  # WavLM's own kind


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer and frame."""
    return choose_layer(trace), choose_frame(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """In a middle layer, where the fewest channels are shut."""
    layer = trace.num_layers // 2
    return {"layer": layer, "frame": int(gate_shares(_terms(trace, layer).gate, dim=1).closed.argmin())}


def exhibits(trace: Trace, palette: Palette, layer: int, frame: int) -> Iterator[Exhibit | Note]:
    """Yield how much of the unit is shut over the clip, and what becomes of the frame's largest values."""
    title, prefix = f"Feed-forward of layer {layer}", ""
    if not own_glu_type(trace):
        yield Note(
            f"This checkpoint's feed-forward has **no GLU** (activation_fn = {trace.model.config.activation_fn}). What "
            "follows is a **demonstration**: a unit with random weights, which is no part of the model, on what the "
            "feed-forward really receives. *nano* has a GLU that was trained."
        )
        title, prefix = f"Demonstration on the input of layer {layer}", "demonstration_"
    terms = _terms(trace, layer)
    share = float(gate_shares(terms.gate, dim=1).closed[frame])
    yield Exhibit(
        f"{prefix}glu_frame",
        glu_frame(trace, terms, frame, title, palette),
        f"In frame {frame}, {share:.0%} of the {terms.gate.shape[1]} channels are shut: their gate lies within "
        f"{CLOSED} of 0. Below, the largest values of the frame, pale, and what their gates let through.",
        lambda: {name: term.numpy() for name, term in terms._asdict().items()},
    )


def judge(trace: Trace, layer: int, frame: int) -> Verdict:
    """Done at a moment at which more channels are shut than at nine tenths of all moments."""
    shares = gate_shares(_terms(trace, layer).gate, dim=1).closed
    if trace.num_frames < 2 or float(shares.max()) == float(shares.min()):
        return Verdict(False, "In this clip and layer all moments are alike. Choose another to try it.")
    limit = float(shares.quantile(RARE))
    share = float(shares[frame])
    return Verdict(
        share >= limit and share > float(shares.min()),
        f"{share:.1%} of the channels are shut here. A tenth of all moments have {limit:.1%} or more.",
    )


def _terms(trace: Trace, layer: int) -> GLUTerms:
    return trace.glu(layer) if own_glu_type(trace) else demonstration_terms(trace, layer, DEMONSTRATED)


SCENE = Scene("glu", choices, begin, exhibits, judge)
