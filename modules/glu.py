"""A linear layer whose one half gates the other."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from .activations import Swish
from .linear import Linear

GLU_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "swish": Swish,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "bilinear": nn.Identity,
}


class GLUTerms(NamedTuple):
    """What happens inside a gated linear unit; each [..., output_dim], and output = value x gate."""

    value: Float[Tensor, "... channels"]
    gate_input: Float[Tensor, "... channels"]
    gate: Float[Tensor, "... channels"]  # activation(gate_input)
    output: Float[Tensor, "... channels"]


class GLU_Linear(nn.Module):
    """y = (V x + b) * act(W x + c): a linear layer with twice the outputs, of which the second half gates the first.

    `act` is sigmoid, swish, relu, gelu, or, for "bilinear", nothing. The weights stand stacked, V above W, in `linear`.

    Raises: ValueError for an unknown `glu_type`.
    Source: WavLM `modules.py`; arXiv 2002.05202.
    """

    def __init__(self, input_dim: int, output_dim: int, glu_type: str = "sigmoid", bias_in_glu: bool = True) -> None:
        super().__init__()
        if glu_type not in GLU_ACTIVATIONS:
            raise ValueError(f"glu_type: expected one of {', '.join(GLU_ACTIVATIONS)}; found {glu_type!r}")
        self.glu_type = glu_type
        self.output_dim = output_dim
        self.glu_act = GLU_ACTIVATIONS[glu_type]()
        self.linear = Linear(input_dim, output_dim * 2, bias=bias_in_glu)

    def terms(self, x: Float[Tensor, "... inputs"]) -> GLUTerms:
        """Compute the unit and keep its parts: [..., input_dim] -> four times [..., output_dim]."""
        value, gate_input = self.linear(x).chunk(2, dim=-1)
        gate = self.glu_act(gate_input)
        return GLUTerms(value, gate_input, gate, value * gate)

    def forward(self, x: Float[Tensor, "... inputs"]) -> Float[Tensor, "... channels"]:
        """[..., input_dim] -> [..., output_dim]."""
        return self.terms(x).output
