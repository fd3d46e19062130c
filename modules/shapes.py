"""Two modules that only rearrange axes: what WavLM needs around its convolutions."""

from typing import Any

from jaxtyping import Shaped
from torch import Tensor, nn


class TransposeLast(nn.Module):
    """Swap the last two axes, after picking one entry of the input where `deconstruct_idx` is given.

    The result is a view. WavLM puts one on either side of a layer norm, which wants channels last, while
    convolutions want them second.

    Source: fairseq `modules/transpose_last.py`.
    """

    def __init__(self, deconstruct_idx: Any = None) -> None:
        super().__init__()
        self.deconstruct_idx = deconstruct_idx

    def forward(self, x: Any) -> Shaped[Tensor, "... last second_last"]:
        """[..., a, b] -> [..., b, a]; with `deconstruct_idx`, the same of `x[deconstruct_idx]`."""
        if self.deconstruct_idx is not None:
            x = x[self.deconstruct_idx]
        return x.transpose(-2, -1)


class SamePad(nn.Module):
    """Trim the surplus frames that a padded convolution leaves at the end, so that its length is kept.

    A kernel of K with K // 2 frames of padding on each side returns one frame too many when K is even. A causal
    convolution, padded by K - 1 on each side, returns K - 1 too many.

    Source: fairseq `modules/same_pad.py`.
    """

    def __init__(self, kernel_size: int, causal: bool = False) -> None:
        super().__init__()
        self.remove = kernel_size - 1 if causal else (kernel_size + 1) % 2

    def forward(self, x: Shaped[Tensor, "..."]) -> Shaped[Tensor, "batch channels frames"]:
        """[batch, channels, frames + remove] -> [batch, channels, frames].

        Raises: IndexError for an input that is not of rank 3.
        """
        return x[:, :, : -self.remove] if self.remove > 0 else x
