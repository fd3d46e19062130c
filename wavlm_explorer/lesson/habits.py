"""What heads do, and where to find a head that does it: the bundled model's exemplars, or the like of them."""

import json
from collections.abc import Callable
from importlib import resources
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..bias import learned_bias
from ..keeping import Keeper
from ..tracing import Trace

BUNDLED = "nano"
NUM_ROWS = 128  # of each map, evenly spaced: enough to tell a habit


class Sides(NamedTuple):
    """To which side each head looks: shares of a frame's attention, of 128 frames (or all there are) on average."""

    behind: Float[Tensor, "layers heads"]  # on keys before the frame
    ahead: Float[Tensor, "layers heads"]  # on keys after it; the rest is on the frame itself


class Head(NamedTuple):
    """One head of the model."""

    layer: int
    head: int


_known: Keeper[Sides] = Keeper()


def sides(trace: Trace) -> Sides:
    """Measure every head of the model; remembered as long as the trace."""
    return _known.recall(trace, lambda: _measure_sides(trace))


def _measure_sides(trace: Trace) -> Sides:
    rows = slice(0, None, -(-trace.num_frames // NUM_ROWS))
    queries = torch.arange(trace.num_frames)[rows]
    distances = torch.arange(trace.num_frames) - queries[:, None]  # [queries, keys]
    shares = [
        [(weights * side).sum(dim=-1).mean(dim=-1) for side in (distances < 0, distances > 0)]
        for weights in (trace.attention(layer, queries=rows) for layer in range(trace.num_layers))
    ]
    return Sides(*(torch.stack(side) for side in zip(*shares, strict=True)))


def find_head(trace: Trace, habit: str) -> Head:
    """Find a head that "looks back", "looks ahead", is after "similar sounds", or whose "gate matters".

    Three heads of the bundled model were chosen with labels at hand. Else the head is taken that stands out in what can
    be measured without: the side it looks to, the share of content in its logits, how far its gate moves its bias.
    """
    exemplars = _exemplars() if trace.model.source.name == BUNDLED else {}
    return exemplars.get(habit) or _highest(_SCORES[habit](trace))


def _exemplars() -> dict[str, Head]:
    text = (resources.files("wavlm_explorer") / "assets" / "nano" / "exemplars.json").read_text("utf-8")
    return {each["name"]: Head(each["layer"], each["head"]) for each in json.loads(text)}


def _content_share(trace: Trace) -> Float[Tensor, "layers heads"]:
    return 1 - trace.sampled_measures(num_rows=1)["position_share"].value  # exact, however few rows


def _gate_effect(trace: Trace) -> Float[Tensor, "layers heads"]:
    """How much the gate moves over the clip, times how much the bias that it multiplies differs over distances."""
    gates = torch.stack([trace.gate(layer) for layer in range(trace.num_layers)])  # [layers, heads, frames]
    return gates.std(dim=-1, correction=0) * learned_bias(trace).bias.std(dim=-1, correction=0)


_SCORES: dict[str, Callable[[Trace], Float[Tensor, "layers heads"]]] = {
    "looks back": lambda trace: sides(trace).behind,
    "looks ahead": lambda trace: sides(trace).ahead,
    "similar sounds": _content_share,
    "gate matters": _gate_effect,
}


def _highest(scores: Float[Tensor, "layers heads"]) -> Head:
    return Head(*divmod(int(scores.argmax()), scores.shape[1]))
