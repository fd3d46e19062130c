"""WavLM's attention: content, plus a position bias that every frame and head gates for itself."""

import math
import uuid
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from .gate import NUM_GATE_FEATURES, gate_terms
from .incremental import AttentionState, IncrementalState, Keys, append_prev_key_padding_mask, extend_state
from .inputs import additive_mask, append_extra_keys, bias_per_head, check_sizes, check_widths
from .linear import Linear
from .positions import distance_buckets
from .quantization import quant_noise
from .row_blocks import HeadFrames

Frames = Float[Tensor, "frames batch width"]


class AttentionOutput(NamedTuple):
    """What attention returns. With `before_softmax` the first two are the logits and the values instead."""

    output: Float[Tensor, "..."]  # [queries, batch, width]
    weights: Float[Tensor, "..."] | None  # [batch, queries, keys], or [heads, batch, queries, keys]
    position_bias: Float[Tensor, "batch_heads queries keys"] | None  # ungated, for the next layer


class MultiheadAttention(nn.Module):
    """softmax(q k' / sqrt(d) + g * B) v, for each head; the whole is projected once more.

        q, k, v   [batch, heads, frames, head_dim]   projections of the inputs
        B[i, j]   [heads, queries, keys]             the bias table's entry for the bucket of j - i
        g[i]      [batch, heads, queries]            the gate, read from the unprojected query input x:

        g = a (b c - 1) + 2,    a = sigmoid(sum of z[:4]),  b = sigmoid(sum of z[4:]),  z = grep_linear(x)

    where c is `grep_a`, one learned number a head. With c = 1 the gate lies between 1 and 2. The bias table (in WavLM
    only layer 0 owns one) comes back ungated, so that the next layer can gate it in its own way.

    Names, arguments, state-dict keys and initial draws are the original's; where the original fails or ignores an
    argument, this one works (docs/deviations.md). Inputs are time first: [frames, batch, width].

    Raises: ValueError for widths that do not fit together.
    Source: WavLM, arXiv 2110.13900, and its `modules.py`.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        kdim: int | None = None,
        vdim: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        self_attention: bool = False,
        encoder_decoder_attention: bool = False,
        q_noise: float = 0.0,
        qn_block_size: int = 8,
        has_relative_attention_bias: bool = False,
        num_buckets: int = 32,
        max_distance: int = 128,
        gru_rel_pos: bool = False,
        rescale_init: bool = False,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.qkv_same_dim = self.kdim == self.vdim == embed_dim
        check_sizes(embed_dim, num_heads, self.kdim, self.vdim, self_attention)
        self.head_dim = self.q_head_dim = self.k_head_dim = embed_dim // num_heads
        self.scaling = self.head_dim**-0.5
        self.self_attention = self_attention
        self.encoder_decoder_attention = encoder_decoder_attention
        self.add_zero_attn = add_zero_attn
        self.has_relative_attention_bias = has_relative_attention_bias
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.gru_rel_pos = gru_rel_pos
        self._state_name = f"{uuid.uuid4()}.attn_state"

        # The order of what follows decides which random numbers go where: it is the original's.
        self.dropout_module = nn.Dropout(dropout)
        if has_relative_attention_bias:
            distance_buckets(torch.zeros(1, dtype=torch.long), num_buckets, max_distance)  # refuses what has no buckets
            self.relative_attention_bias = nn.Embedding(num_buckets, num_heads)
        self.k_proj = quant_noise(Linear(self.kdim, embed_dim, bias=not rescale_init), q_noise, qn_block_size)
        self.v_proj = quant_noise(Linear(self.vdim, embed_dim, bias=bias), q_noise, qn_block_size)
        self.q_proj = quant_noise(Linear(embed_dim, embed_dim, bias=bias), q_noise, qn_block_size)
        self.out_proj = quant_noise(Linear(embed_dim, embed_dim, bias=bias), q_noise, qn_block_size)
        self.bias_k = nn.Parameter(torch.empty(1, 1, embed_dim)) if add_bias_kv else None
        self.bias_v = nn.Parameter(torch.empty(1, 1, embed_dim)) if add_bias_kv else None
        if gru_rel_pos:
            self.grep_linear = nn.Linear(self.head_dim, NUM_GATE_FEATURES)
            self.grep_a = nn.Parameter(torch.ones(1, num_heads, 1, 1))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights anew: xavier, for q, k and v with gain 1 / sqrt(2) where all three have one width."""
        gain = 1 / math.sqrt(2) if self.qkv_same_dim else 1.0
        for projection in (self.k_proj, self.v_proj, self.q_proj):
            nn.init.xavier_uniform_(projection.weight, gain=gain, generator=generator)
        nn.init.xavier_uniform_(self.out_proj.weight, generator=generator)
        if self.out_proj.bias is not None:
            nn.init.zeros_(self.out_proj.bias)
        if self.bias_k is not None and self.bias_v is not None:
            nn.init.xavier_normal_(self.bias_k, generator=generator)
            nn.init.xavier_normal_(self.bias_v, generator=generator)
        if self.has_relative_attention_bias:
            nn.init.xavier_normal_(self.relative_attention_bias.weight, generator=generator)

    # The steps of attention, each of them a name that an explorer may ask for.

    def project_query(self, query: Frames) -> HeadFrames:
        """q / sqrt(head_dim), where q is the projected query."""
        return self._split_heads(self.q_proj(query) * self.scaling)

    def project_key(self, key: Frames) -> HeadFrames:
        """The projected key."""
        return self._split_heads(self.k_proj(key))

    def project_value(self, value: Frames) -> HeadFrames:
        """The projected value."""
        return self._split_heads(self.v_proj(value))

    def project_output(self, context: HeadFrames) -> Frames:
        """What the heads gathered, side by side and projected once more."""
        return self.out_proj(context.permute(2, 0, 1, 3).flatten(2))

    def bias_of_distances(self, distances: Int[Tensor, " distances"]) -> Float[Tensor, "heads distances"]:
        """What the table holds for each distance (key index - query index, in frames)."""
        buckets = distance_buckets(distances.cpu(), self.num_buckets, self.max_distance)  # one rounding on all devices
        return self.relative_attention_bias(buckets.to(self.relative_attention_bias.weight.device)).T

    def compute_bias(
        self, query_length: int, key_length: int, query_offset: int = 0
    ) -> Float[Tensor, "heads queries keys"]:
        """B[i, j], ungated; the first query stands at key `query_offset`.

        Only the query_length + key_length - 1 distances that occur are looked up: each row of B is a window on them.
        """
        first = 1 - query_length - query_offset
        curve = self.bias_of_distances(torch.arange(first, first + query_length + key_length - 1))
        return curve.unfold(1, key_length, 1).flip(1)

    def compute_gate(self, query: Frames) -> Float[Tensor, "batch heads queries"]:
        """g[i], from the *unprojected* query input; ones for an attention without a gate."""
        return self._gate(self._split_heads(query))

    def compute_slow_path_gate(self, query: Frames) -> Float[Tensor, "batch heads queries"]:
        """The gate as the original's slow path has it: from the projected and scaled query. For comparison only."""
        return self._gate(self.project_query(query))

    def compute_paper_gate(self, query: Frames) -> Float[Tensor, "batch heads queries"]:
        """The gate as the paper has it: from the projected query q, not scaled. For comparison only."""
        return self._gate(self._split_heads(self.q_proj(query)))

    def compute_position(
        self, gate: Float[Tensor, "batch heads queries"], position_bias: Float[Tensor, "#batch heads queries keys"]
    ) -> Float[Tensor, "#batch heads queries keys"]:
        """g[i] B[i, j]: what position adds to the logits."""
        return gate.unsqueeze(-1) * position_bias if self.gru_rel_pos else position_bias

    def compute_content(
        self, q: Float[Tensor, "batch heads queries head_dim"], k: Float[Tensor, "batch heads keys head_dim"]
    ) -> Float[Tensor, "batch heads queries keys"]:
        """q k' / sqrt(d), given the scaled q."""
        return torch.matmul(q, k.transpose(-2, -1))

    def compute_weights(
        self, logits: Float[Tensor, "*batch queries keys"], mask: Float[Tensor, "*#batch #queries keys"] | None = None
    ) -> Float[Tensor, "*batch queries keys"]:
        """Softmax over the keys that an additive mask leaves; a query with no key left gets zeros."""
        if mask is None:
            return torch.softmax(logits, dim=-1)
        blind = mask.isneginf().all(dim=-1, keepdim=True)  # no softmax for these, and no NaN gradient
        return torch.softmax((logits + mask).masked_fill(blind, 0), dim=-1).masked_fill(blind, 0)

    def forward(
        self,
        query: Float[Tensor, "..."],
        key: Float[Tensor, "..."] | None = None,
        value: Float[Tensor, "..."] | None = None,
        key_padding_mask: Shaped[Tensor, "..."] | None = None,
        incremental_state: IncrementalState | None = None,
        need_weights: bool = True,
        static_kv: bool = False,
        attn_mask: Shaped[Tensor, "..."] | None = None,
        before_softmax: bool = False,
        need_head_weights: bool = False,
        position_bias: Float[Tensor, "..."] | None = None,
    ) -> AttentionOutput:
        """Attend from every query to every key.

        query, key, value: [time, batch, width]; the key is the query itself and the value the key, unless given.
        key_padding_mask: [batch, keys], true or 1 where a key is padding.
        attn_mask: [queries, keys] or [batch x heads, queries, keys]; added to the logits, or boolean, true for "not
            this key". A query with no key left gets weights of zero.
        incremental_state: one dictionary for all layers and steps; keys and values of earlier steps are found there,
            those of this step added. With static_kv they are computed once and looked up from then on.
        position_bias: [batch x heads, queries, keys] or [heads, queries, keys], ungated; stands in for the own table.
        need_weights: False lets a fused kernel do the same sum without ever holding the weights.
        need_head_weights: weights per head, not their mean.
        before_softmax: return the logits without position [batch x heads, queries, keys] and the projected values
            [batch x heads, keys, head_dim] instead.

        Raises: ValueError for inputs whose widths, batches or masks do not fit together.
        """
        q = self.project_query(query)
        keys = self._gather_keys(query, key, value, key_padding_mask, incremental_state, static_kv)
        batch, heads, num_queries, _ = q.shape
        num_keys = keys.key.shape[2]
        if position_bias is None and self.has_relative_attention_bias:
            bias = self.compute_bias(num_queries, num_keys, keys.num_past)
            position_bias = bias.expand(batch, -1, -1, -1).flatten(0, 1)
        learned = [self._split_heads(bias) for bias in (self.bias_k, self.bias_v) if bias is not None]
        k, v = append_extra_keys(keys.key, keys.value, learned, self.add_zero_attn)
        num_extra = k.shape[2] - num_keys
        shape = (batch, heads, num_queries, num_keys)
        mask = additive_mask(attn_mask, keys.key_padding_mask, shape, num_extra, q.dtype)

        if before_softmax:
            content = self.compute_content(q, k)
            logits = content if mask is None else content + mask
            return AttentionOutput(logits.flatten(0, 1), v.flatten(0, 1), position_bias)

        position = returned = None
        if position_bias is not None:
            bias = bias_per_head(position_bias, shape)
            position = self.compute_position(self.compute_gate(query), bias)
            position = F.pad(position, (0, num_extra)) if num_extra else position
        if need_weights or need_head_weights:
            logits = self.apply_sparse_mask(self.compute_content(q, k), num_queries, k.shape[2], batch)
            weights = self.compute_weights(logits if position is None else logits + position, mask)
            context = torch.matmul(self.dropout_module(weights), v)
            returned = weights.transpose(0, 1) if need_head_weights else weights.mean(dim=1)
        else:
            terms = [term for term in (position, mask) if term is not None]
            added = sum(terms[1:], terms[0]) if terms else None
            dropout = self.dropout_module.p * self.training
            context = F.scaled_dot_product_attention(q, k, v, added, dropout, scale=1.0)
        return AttentionOutput(self.project_output(context), returned, position_bias)

    def reorder_incremental_state(self, incremental_state: IncrementalState, new_order: Int[Tensor, " batch"]) -> None:
        """Let entry i of the batch go on from the memory of entry new_order[i], as beam search asks."""
        state = self._get_input_buffer(incremental_state)
        for name, tensor in state.items():
            state[name] = None if tensor is None else tensor.index_select(0, new_order)

    def apply_sparse_mask(self, attn_weights: Tensor, tgt_len: int, src_len: int, bsz: int) -> Tensor:
        """Return the logits unchanged: a hook for subclasses, as in the original."""
        return attn_weights

    _append_prev_key_padding_mask = staticmethod(append_prev_key_padding_mask)

    def _get_input_buffer(self, incremental_state: IncrementalState) -> AttentionState:
        return incremental_state.setdefault(self._state_name, {})

    def _split_heads(self, x: Frames) -> HeadFrames:
        return x.unflatten(-1, (self.num_heads, self.head_dim)).permute(1, 2, 0, 3)

    def _gate(self, x: HeadFrames) -> Float[Tensor, "batch heads queries"]:
        if not self.gru_rel_pos:
            return x.new_ones(x.shape[:-1])
        return gate_terms(self.grep_linear(x), self.grep_a.squeeze(-1)).gate

    def _gather_keys(
        self,
        query: Tensor,
        key: Tensor | None,
        value: Tensor | None,
        key_padding_mask: Tensor | None,
        incremental_state: IncrementalState | None,
        static_kv: bool,
    ) -> Keys:
        state = None if incremental_state is None else self._get_input_buffer(incremental_state)
        if static_kv and state and "prev_key" in state:
            if not self.encoder_decoder_attention:
                raise ValueError("static_kv with keys in memory: expected an attention with encoder_decoder_attention")
            return extend_state(state, None, None, key_padding_mask, static_kv)
        if key is None:
            if self.encoder_decoder_attention or not self.qkv_same_dim:
                raise ValueError("key: expected the encoder's output, for no earlier step left keys; found None")
            key = query
        value = key if value is None else value
        check_widths((query, key, value), (self.embed_dim, self.kdim, self.vdim))
        k, v = self.project_key(key), self.project_value(value)
        return (
            Keys(k, v, key_padding_mask, 0) if state is None else extend_state(state, k, v, key_padding_mask, static_kv)
        )
