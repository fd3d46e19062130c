"""What attention is given, brought into one shape or refused: inputs, masks over keys, a position bias."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Shaped
from torch import Tensor


def check_sizes(embed_dim: int, num_heads: int, kdim: int, vdim: int, self_attention: bool) -> None:
    """Refuse an attention whose heads do not share its width evenly, or that cannot attend to itself.

    Raises: ValueError.
    """
    if num_heads < 1 or embed_dim % num_heads != 0:
        raise ValueError(f"embed_dim must be divisible by num_heads: found {embed_dim} and {num_heads}")
    if self_attention and not embed_dim == kdim == vdim:
        raise ValueError(
            f"Self-attention requires query, key and value to be of the same size: found {embed_dim}, {kdim} and {vdim}"
        )


def check_widths(inputs: tuple[Tensor, Tensor, Tensor], widths: tuple[int, int, int]) -> None:
    """Refuse a query, key and value that do not fit together or have other widths than those given.

    Raises: ValueError with the shapes expected and found.
    """
    query, key, _ = inputs
    found = [list(tensor.shape) for tensor in inputs]
    lengths = (query.shape[0], key.shape[0], key.shape[0])
    expected = [[length, query.shape[1], width] for length, width in zip(lengths, widths, strict=True)]
    if found != expected:
        raise ValueError(f"query, key, value: expected shapes {expected} (time, batch, width); found {found}")


def append_extra_keys(
    k: Float[Tensor, "batch heads keys head_dim"],
    v: Float[Tensor, "batch heads keys head_dim"],
    learned: Sequence[Float[Tensor, "1 heads 1 head_dim"]],
    zero: bool,
) -> tuple[Float[Tensor, "batch heads more head_dim"], Float[Tensor, "batch heads more head_dim"]]:
    """Add the learned key and value (of add_bias_kv) and those of zeros (add_zero_attn); neither has a position."""
    if learned:
        k, v = (
            torch.cat([x, extra.expand(len(x), -1, -1, -1)], dim=2) for x, extra in zip((k, v), learned, strict=True)
        )
    return (F.pad(k, (0, 0, 0, 1)), F.pad(v, (0, 0, 0, 1))) if zero else (k, v)


def additive_mask(
    attn_mask: Shaped[Tensor, "..."] | None,
    key_padding_mask: Shaped[Tensor, "..."] | None,
    shape: tuple[int, int, int, int],
    num_extra_keys: int,
    dtype: torch.dtype,
) -> Float[Tensor, "#batch #heads #queries keys"] | None:
    """Join an attention mask and a padding mask into one term that broadcasts over the logits.

    attn_mask: [queries, keys] or [batch x heads, queries, keys], added as it is, or boolean, true for "not this key".
    key_padding_mask: [batch, keys], true or 1 for padding.
    shape: (batch, heads, queries, keys); `num_extra_keys` further keys, which no mask knows of, are always seen.

    Raises: ValueError where a mask has another shape.
    """
    batch, heads, num_queries, num_keys = shape
    terms = []
    if attn_mask is not None:
        if attn_mask.shape not in ((num_queries, num_keys), (batch * heads, num_queries, num_keys)):
            raise ValueError(
                f"attn_mask: expected [{num_queries}, {num_keys}] (queries, keys) or that for each of "
                f"{batch * heads} batch x heads; found {list(attn_mask.shape)}"
            )
        term = _minus_infinity(attn_mask, dtype) if attn_mask.dtype == torch.bool else attn_mask.to(dtype)
        terms.append(term.view(1, 1, *shape[2:]) if term.ndim == 2 else term.view(shape))
    if key_padding_mask is not None:
        if key_padding_mask.shape != (batch, num_keys):
            raise ValueError(
                f"key_padding_mask: expected [{batch}, {num_keys}] (batch, keys); found {list(key_padding_mask.shape)}"
            )
        terms.append(_minus_infinity(key_padding_mask.bool(), dtype)[:, None, None, :])
    return F.pad(sum(terms[1:], terms[0]), (0, num_extra_keys)) if terms else None


def bias_per_head(
    position_bias: Float[Tensor, "batch_heads queries keys"], shape: tuple[int, int, int, int]
) -> Float[Tensor, "#batch heads queries keys"]:
    """Split [batch x heads, queries, keys], or [heads, queries, keys] for the whole batch, into batch and heads.

    Raises: ValueError where the bias fits no `shape` of (batch, heads, queries, keys).
    """
    batch, heads, num_queries, num_keys = shape
    if position_bias.shape not in ((batch * heads, num_queries, num_keys), (heads, num_queries, num_keys)):
        raise ValueError(
            f"position_bias: expected [{batch * heads}, {num_queries}, {num_keys}] (batch x heads, queries, keys) "
            f"or one of {heads} heads for the whole batch; found {list(position_bias.shape)}"
        )
    return position_bias.unflatten(0, (-1, heads))


def _minus_infinity(hidden: Bool[Tensor, "..."], dtype: torch.dtype) -> Float[Tensor, "..."]:
    return torch.zeros_like(hidden, dtype=dtype).masked_fill(hidden, float("-inf"))
