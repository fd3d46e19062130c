"""The memory of an attention layer that decodes step by step: keys and values of the steps so far."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

# What one layer remembers: prev_key and prev_value [batch, heads, keys, head_dim], prev_key_padding_mask [batch, keys].
AttentionState = dict[str, Tensor | None]
# One dictionary serves a whole decoder: each layer keeps its state under a name of its own.
IncrementalState = dict[str, AttentionState]


class Keys(NamedTuple):
    """All that the queries of one step may attend to."""

    key: Float[Tensor, "batch heads keys head_dim"]
    value: Float[Tensor, "batch heads keys head_dim"]
    key_padding_mask: Shaped[Tensor, "batch keys"] | None  # true or 1: padding
    num_past: int  # how many of the keys earlier steps left behind


def append_prev_key_padding_mask(
    key_padding_mask: Shaped[Tensor, "batch new"] | None,
    prev_key_padding_mask: Shaped[Tensor, "batch past"] | None,
    batch_size: int,
    src_len: int,
    static_kv: bool,
) -> Shaped[Tensor, "batch keys"] | None:
    """Join the padding masks of earlier steps and of this one; where one is missing, its keys are no padding.

    Returns a float mask of `src_len` keys, or, where nothing is to be joined (`static_kv`, no masks), what was given.

    Source: fairseq `modules/multihead_attention.py`.
    """
    if prev_key_padding_mask is None and key_padding_mask is None:
        return None
    if prev_key_padding_mask is not None and static_kv:
        return prev_key_padding_mask
    masks = [mask.float() for mask in (prev_key_padding_mask, key_padding_mask) if mask is not None]
    if len(masks) == 1 and src_len > masks[0].shape[1]:
        filler = masks[0].new_zeros(batch_size, src_len - masks[0].shape[1])
        masks = [*masks, filler] if key_padding_mask is None else [filler, *masks]
    return torch.cat(masks, dim=1)


def extend_state(
    state: AttentionState,
    key: Float[Tensor, "batch heads new head_dim"] | None,
    value: Float[Tensor, "batch heads new head_dim"] | None,
    key_padding_mask: Shaped[Tensor, "batch new"] | None,
    static_kv: bool,
) -> Keys:
    """Put the keys of this step behind those that `state` holds, store the whole in `state` and return it.

    With `static_kv`, keys and values that `state` already holds are returned as they are.
    """
    past_key, past_value = state.get("prev_key"), state.get("prev_value")
    num_past = 0
    if past_key is not None and past_value is not None:
        if static_kv:
            key, value = past_key, past_value
        else:
            num_past = past_key.shape[2]
            key, value = torch.cat([past_key, key], dim=2), torch.cat([past_value, value], dim=2)
    mask = append_prev_key_padding_mask(
        key_padding_mask, state.get("prev_key_padding_mask"), key.shape[0], key.shape[2], static_kv
    )
    state.update(prev_key=key, prev_value=value, prev_key_padding_mask=mask)
    return Keys(key, value, mask, num_past)
