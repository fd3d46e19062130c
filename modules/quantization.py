"""Quantisation noise: blocks of a weight switched off at random while training."""

from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

NoisyModule = TypeVar("NoisyModule", bound=nn.Module)


def check_quant_noise(module: nn.Module, p: float, block_size: int) -> None:
    """Refuse what quantisation noise cannot be drawn for.

    Raises: TypeError unless `module` is a Linear, Embedding or Conv2d; ValueError unless 0 <= p < 1 and `block_size`
    divides the inputs of a Linear, Embedding or 1x1 Conv2d, or the kernel's area for a larger Conv2d.
    """
    if not isinstance(module, nn.Linear | nn.Embedding | nn.Conv2d):
        raise TypeError(f"quant_noise: expected a Linear, Embedding or Conv2d module; found {type(module).__name__}")
    if not 0 <= p < 1:
        raise ValueError(f"quant_noise: expected a probability 0 <= p < 1 (survivors grow by 1 / (1 - p)); found {p}")
    if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
        size, rule = module.weight[0, 0].numel(), "Kernel size must be a multiple of block size"
    else:
        size, rule = module.weight.shape[1], "Input features must be a multiple of block sizes"
    if block_size < 1 or size % block_size != 0:
        raise ValueError(f"{rule}: expected a divisor of {size}; found block_size={block_size}")


def draw_block_mask(
    module: nn.Module, p: float, block_size: int, generator: torch.Generator | None = None
) -> Bool[Tensor, "..."]:
    """Draw which entries of `module.weight` one step would drop: True, with probability p for each block.

    A block is `block_size` consecutive inputs of one output row (Linear, Embedding, 1x1 Conv2d) or one whole kernel of
    a larger Conv2d. The module is only read. The mask has the weight's shape and device; `generator`, where given,
    must be of that device.

    Raises: as `check_quant_noise`.
    Source: arXiv 2004.07320; the order of draws is fairseq's `modules/quant_noise.py`.
    """
    check_quant_noise(module, p, block_size)
    weight: Tensor = module.weight  # type: ignore[assignment]
    whole_kernels = weight.ndim == 4 and weight[0, 0].numel() > 1
    blocks_in_row = weight.shape[1] if whole_kernels else weight.shape[1] // block_size
    blocks = torch.zeros(weight.shape[0] * blocks_in_row, device=weight.device).bernoulli_(p, generator=generator)
    rows = blocks.bool().view(weight.shape[0], blocks_in_row)
    if whole_kernels:
        return rows[:, :, None, None].expand_as(weight)
    return rows.repeat_interleave(block_size, dim=1).view_as(weight)


def noised_weight(weight: Float[Tensor, "..."], mask: Bool[Tensor, "..."], p: float) -> Float[Tensor, "..."]:
    """Return a copy of `weight` with the masked entries 0 and the others times 1 / (1 - p), so that its mean stays."""
    return weight.masked_fill(mask, 0) * (1 / (1 - p))


def quant_noise(
    module: NoisyModule, p: float, block_size: int, generator: torch.Generator | None = None
) -> NoisyModule:
    """Let `module` overwrite its own weight with a noised one at every forward pass in training mode.

    Faithful to the original, and surprising: the noise is never undone. What one step drops stays zero and what
    survives grows by 1 / (1 - p), step after step, however the optimiser moves it. For noise that leaves the weights
    alone use `draw_block_mask` and `noised_weight`, of which this hook is made.

    Returns the same module; p <= 0 changes nothing. The state dict keeps its keys. `generator`, where given, draws
    instead of the global one, which other threads may be using, and must be of the weight's device.

    Raises: as `check_quant_noise`.
    Source: fairseq `modules/quant_noise.py`; arXiv 2004.07320.
    """
    if p <= 0:
        return module
    check_quant_noise(module, p, block_size)

    def overwrite_weight(module: nn.Module, inputs: tuple) -> None:
        if module.training:
            weight: Tensor = module.weight  # type: ignore[assignment]
            weight.data = noised_weight(weight.data, draw_block_mask(module, p, block_size, generator), p)

    module.register_forward_pre_hook(overwrite_weight)
    return module
