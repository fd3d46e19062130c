"""Norms that compute in float32 whatever the precision around them."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def _float(parameter: Tensor | None) -> Tensor | None:
    return None if parameter is None else parameter.float()


class Fp32LayerNorm(nn.LayerNorm):
    """Layer norm in float32; the result has the input's dtype, so float64 goes through float32 too.

    Source: fairseq `modules/layer_norm.py`.
    """

    def forward(self, input: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Normalise the trailing axes `normalized_shape`; shape and dtype are kept."""
        output = F.layer_norm(input.float(), self.normalized_shape, _float(self.weight), _float(self.bias), self.eps)
        return output.type_as(input)


class Fp32GroupNorm(nn.GroupNorm):
    """Group norm in float32; the result has the input's dtype, so float64 goes through float32 too.

    In WavLM Base one group is one channel, so each channel is normalised over *all* frames of the clip, padding
    included: this is why a padded batch of Base differs from its clips taken one by one.

    Source: fairseq `modules/fp32_group_norm.py`.
    """

    def forward(self, input: Float[Tensor, "batch channels *time"]) -> Float[Tensor, "batch channels *time"]:
        """Normalise each of `num_groups` groups of channels over its channels and frames; shape and dtype are kept."""
        output = F.group_norm(input.float(), self.num_groups, _float(self.weight), _float(self.bias), self.eps)
        return output.type_as(input)
