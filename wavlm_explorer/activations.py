"""The functions that a feed-forward can bend its numbers with, compared, and what reaches them in a clip."""

from collections.abc import Callable
from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from .config import WavLMConfig
from .indices import check_index
from .layer_attention import to_cpu
from .modules import GLU_Linear, Swish, gelu, gelu_accurate, get_activation_fn
from .modules.activations import ACTIVATIONS
from .tracing import Trace

# All that bend numbers in some WavLM: what `get_activation_fn` returns for each name, and the gate of a GLU.
CURVES: dict[str, Callable[[Tensor], Tensor]] = {**ACTIVATIONS, "swish": Swish()}
REACH = 5.0  # of the comparison, to both sides of 0; beyond, both forms are 0 or x
STEPS = 1000


def own_activation(config: WavLMConfig) -> str:
    """Name what bends the numbers in a model's feed-forward: with GLU that is swish, and "glu" bends nothing."""
    return "swish" if config.activation_fn == "glu" else config.activation_fn


def refusal(name: str) -> str:
    """What `get_activation_fn` says to a name; empty for one that it knows."""
    try:
        get_activation_fn(name)
    except RuntimeError as error:
        return str(error)
    return ""


class GeluDifference(NamedTuple):
    """The two forms of GELU, and how far apart they are."""

    x: Float[Tensor, " points"]
    exact: Float[Tensor, " points"]  # gelu
    accurate: Float[Tensor, " points"]  # gelu_accurate, the approximation by tanh
    difference: Float[Tensor, " points"]  # accurate - exact; the same on both sides of 0

    @property
    def largest(self) -> float:
        """The largest distance between the two."""
        return float(self.difference.abs().max())

    @property
    def where(self) -> float:
        """The x, above 0, at which it is reached."""
        return abs(float(self.x[self.difference.abs().argmax()]))


def compare_gelus() -> GeluDifference:
    """Compare the exact GELU with its approximation by tanh, from -REACH to REACH."""
    x = torch.linspace(-REACH, REACH, STEPS + 1)
    exact, accurate = gelu(x), gelu_accurate(x)
    return GeluDifference(x, exact, accurate, accurate - exact)


@torch.no_grad()
def pre_activations(trace: Trace, layer: SupportsIndex) -> Float[Tensor, "frames channels"]:
    """What reaches the activation of one layer's feed-forward: what fc1 makes, of a GLU the gate before its swish.

    Raises: IndexError for a layer that is not there.
    """
    layer = check_index("layer", layer, trace.num_layers)
    fc1 = trace.model.encoder.block(layer).fc1
    if isinstance(fc1, GLU_Linear):
        return trace.glu(layer).gate_input
    return to_cpu(fc1(trace.feed_forward_input(layer).to(trace.model.device, trace.model.mask_emb.dtype)))
