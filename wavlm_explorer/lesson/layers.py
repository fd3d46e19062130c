"""Chapter: layers differ."""

from collections.abc import Iterator
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..figures.depth import head_by_layer
from ..figures.style import Palette
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Note, choose_head, choose_layer
from .chapter import Scene, Verdict
from .habits import find_head

MOST_FRAMES = 1500  # half a minute; of more, drawing the maps of all layers takes too long


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer and head."""
    return choose_layer(trace), choose_head(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head that looks back, in the layer where it looks furthest."""
    head = find_head(trace, "looks back").head
    return {"layer": int(_spans(trace)[:, head].argmax()), "head": head}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int) -> Iterator[Exhibit | Note]:
    """Yield the head's map in every layer, and how far it looks there."""
    if trace.num_frames > MOST_FRAMES:
        yield Note("This chapter draws the maps of all layers: choose a part of at most 30 seconds to see them.")
        return
    spans, shares = _spans(trace)[:, head], trace.measures()["position_share"][:, head]
    yield Exhibit(
        "head_by_layer",
        head_by_layer(trace, layer, head, palette=palette),
        f"In layer {layer} a frame of head {head} looks {float(spans[layer]) / 1000:.2f} s away on average; over the "
        f"layers this goes from {float(spans.min()) / 1000:.2f} to {float(spans.max()) / 1000:.2f} s. Position makes "
        f"up {float(shares[layer]):.0%} of what varies along the rows of its logits there; over the layers this goes "
        f"from {float(shares.min()):.0%} to {float(shares.max()):.0%}.",
        lambda: {name: values.numpy() for name, values in trace.measures().items()},
    )


def judge(trace: Trace, layer: int, head: int) -> Verdict:
    """Done in the layer in which the head looks least far."""
    if trace.num_layers == 1:
        return Verdict(False, "This model has one layer only. Choose *nano* as the model to try it.")
    spans = _spans(trace)[:, head]
    words = f"In layer {layer}, head {head} looks {float(spans[layer]) / 1000:.2f} s away on average."
    if layer == int(spans.argmin()):
        return Verdict(True, f"{words} That is the nearest of all {trace.num_layers} layers.")
    return Verdict(False, words)


def _spans(trace: Trace) -> Float[Tensor, "layers heads"]:
    """How far each head looks in each layer, in milliseconds; of long clips told from some rows."""
    if trace.num_frames <= MOST_FRAMES:
        return trace.measures()["span_ms"]
    return trace.sampled_measures(num_rows=128)["span_ms"].value


SCENE = Scene("attention", choices, begin, exhibits, judge)
