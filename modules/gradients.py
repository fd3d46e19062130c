"""Scale a gradient on its way back."""

from typing import Any

import torch
from torch import Tensor


class GradMultiply(torch.autograd.Function):
    """The identity forwards; backwards the gradient is multiplied by `scale`.

    `GradMultiply.apply(x, scale)` lets the convolutions of WavLM learn more slowly than its transformer. The result
    shares the storage of x, as in the original.

    Source: fairseq `modules/grad_multiply.py`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float | Tensor) -> Tensor:
        """Return x, any shape and dtype."""
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        """Return (scale x gradient, None): the scale itself never learns."""
        (gradient,) = grad_outputs
        return gradient * ctx.scale, None
