"""One head's attention on a clip with keys hidden from it, or with keys added that are no frames."""

from typing import NamedTuple, SupportsIndex

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .indices import check_index
from .modules import additive_mask
from .modules.inputs import append_extra_keys
from .tracing import Trace

KEY_PADDING, CAUSAL, BOTH = MASK_KINDS = ("key padding", "causal", "both")


def causal_mask(num_frames: int) -> Bool[Tensor, "queries keys"]:
    """An `attn_mask` with which no frame looks ahead: true where the key comes after the query."""
    return torch.ones(num_frames, num_frames, dtype=torch.bool).triu(1)


def padding_mask(num_frames: int, start: int) -> Bool[Tensor, "1 keys"]:
    """A `key_padding_mask` for one clip: true from frame `start` on."""
    return (torch.arange(num_frames) >= start).unsqueeze(0)


def chosen_mask(
    num_frames: int, kind: str, padding_start: int, num_extra_keys: int = 0
) -> Float[Tensor, "#queries keys"]:
    """What a kind of mask adds to the logits: 0, or minus infinity where a key is hidden; keys added are never hidden.

    Raises: ValueError for a kind that is not in MASK_KINDS.
    """
    if kind not in MASK_KINDS:
        raise ValueError(f"kind: expected one of {', '.join(MASK_KINDS)}; found {kind!r}")
    causal = None if kind == KEY_PADDING else causal_mask(num_frames)
    padding = None if kind == CAUSAL else padding_mask(num_frames, padding_start)
    mask = additive_mask(causal, padding, (1, 1, num_frames, num_frames), num_extra_keys, torch.float32)
    assert mask is not None  # one of the two is always there
    return mask[0, 0]


class MaskedAttention(NamedTuple):
    """One head's attention as it is, and with keys hidden."""

    hidden: Bool[Tensor, "queries keys"]
    plain: Float[Tensor, "queries keys"]
    masked: Float[Tensor, "queries keys"]  # rows sum to one, or, where every key is hidden, to zero

    @property
    def moved(self) -> Float[Tensor, " queries"]:
        """How much of each frame's attention lay on keys that are hidden now."""
        return (self.plain * self.hidden).sum(dim=-1)


@torch.no_grad()
def masked_attention(
    trace: Trace, layer: SupportsIndex, head: SupportsIndex, kind: str, padding_start: int
) -> MaskedAttention:
    """Hide keys from one head by one kind of mask, by the steps that the attention's forward takes.

    Keys that interventions bar stay barred, and are in both maps.

    Raises: IndexError for a layer or head that is not there; ValueError for another kind; MemoryError with the size.
    """
    terms = trace.attention_terms(layer, head)
    mask = chosen_mask(trace.num_frames, kind, padding_start)
    attention = trace.model.encoder.block(check_index("layer", layer, trace.num_layers)).self_attn
    masked = attention.compute_weights(terms.content + terms.position, mask + terms.bars)
    return MaskedAttention(mask.isneginf().expand_as(masked), terms.weights, masked)


def drawn_key(width: int) -> Float[Tensor, "1 1 width"]:
    """The key that `add_bias_kv` would begin with, drawn as the attention's own reset draws it; always the same."""
    return nn.init.xavier_normal_(torch.empty(1, 1, width), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def extra_key_weights(
    trace: Trace, layer: SupportsIndex, head: SupportsIndex, kind: str, padding_start: int
) -> Float[Tensor, "queries 2"]:
    """How much attention two further keys take from each frame: one drawn as for `add_bias_kv`, one of zeros.

    A demonstration: released models have neither. No mask hides them, and they have no position.

    Raises: as `masked_attention`.
    """
    head = check_index("head", head, trace.num_heads)
    terms = trace.attention_terms(layer, head)
    attention = trace.model.encoder.block(check_index("layer", layer, trace.num_layers)).self_attn
    learned = drawn_key(attention.embed_dim).view(1, trace.num_heads, 1, attention.head_dim)[:, [head]]
    none = learned[:, :, :0]
    keys, _ = append_extra_keys(none, none, (learned, learned), zero=True)  # what values they bring does not matter
    q = trace.layer_attention(layer).query()[None, [head]]
    logits = torch.cat([terms.content + terms.position, attention.compute_content(q, keys)[0, 0]], dim=-1)
    mask = chosen_mask(trace.num_frames, kind, padding_start, num_extra_keys=2)
    return attention.compute_weights(logits, mask + F.pad(terms.bars, (0, 2)))[:, -2:]
