"""A linear layer that takes the faster of the two matrix libraries which PyTorch has on a CPU."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Linear(nn.Linear):
    """y = W x + b, as in `nn.Linear`; on a CPU, without gradients, by oneDNN in place of MKL.

    PyTorch gives float32 products to MKL and convolutions to oneDNN. For WavLM's shapes oneDNN was 10 to 18 % faster
    on the processors tried (docs/performance.md). The operator used here is the one that `torch.compile` puts in the
    place of a linear layer; it needs no other layout of the weights, and has no gradient.
    """

    def forward(self, input: Float[Tensor, "... inputs"]) -> Float[Tensor, "... outputs"]:
        """[..., in_features] -> [..., out_features]."""
        is_float = input.dtype == self.weight.dtype == torch.float32
        if is_float and _has_onednn(input.device) and not torch.is_grad_enabled():
            return torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, "none", [], "")
        return super().forward(input)


def _has_onednn(device: torch.device) -> bool:
    return device.type == "cpu" and torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled
