"""The activation functions that a WavLM feed-forward can ask for by name."""

import math
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


class Swish(nn.Module):
    """swish(x) = x sigmoid(x), which PyTorch and Hugging Face call SiLU.

    Source: WavLM `modules.py`; arXiv 1710.05941.
    """

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Sigmoid()

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Any shape; shape and dtype are kept."""
        return x * self.act(x)


def gelu_accurate(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """GELU by its tanh approximation: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    The name is upstream's; on [-5, 5] it is off the exact function by at most 5e-4.

    Source: fairseq `modules/gelu.py`; arXiv 1606.08415.
    """
    return 0.5 * x * (1 + torch.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x**3)))


def gelu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Exact GELU, x Phi(x), computed in float32 and returned in the input's dtype.

    Source: fairseq `modules/gelu.py`; arXiv 1606.08415.
    """
    return F.gelu(x.float()).type_as(x)


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": gelu,
    "gelu_fast": gelu_accurate,  # the old name
    "gelu_accurate": gelu_accurate,
    "tanh": torch.tanh,
    "linear": _identity,
    "glu": _identity,  # the gate is inside the feed-forward's first layer, GLU_Linear
}


def get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    """Return the elementwise function that a config names.

    Known: relu, gelu, gelu_fast (renamed to gelu_accurate, which it warns of), gelu_accurate, tanh, linear, glu; the
    last two are the identity.

    Raises: RuntimeError for any other name.
    Source: fairseq `utils.py`.
    """
    if activation == "gelu_fast":
        warnings.warn("gelu_fast has been renamed to gelu_accurate", stacklevel=2)
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise RuntimeError(f"--activation-fn {activation} not supported: expected one of {known}")
    return ACTIVATIONS[activation]
