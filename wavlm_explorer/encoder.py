"""The transformer of WavLM: a positional convolution, then layers that share one table of position biases."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .config import WavLMConfig
from .modules import (
    GLU_Linear,
    Linear,
    MultiheadAttention,
    SamePad,
    additive_mask,
    attend_in_blocks,
    get_activation_fn,
    init_bert_params,
)

# What position adds before the gate: the whole, or in short one number a distance, from 1 - frames to frames - 1.
PositionBias = Float[Tensor, "heads queries keys"] | Float[Tensor, "heads distances"]
Report = Callable[[float], object]  # called with the share done, 0 to 1

FRAMES_AT_ONCE = 1024  # in the feed-forward: more would leave the caches (and its memory would follow the clip)


class WeightNormConv1d(nn.Module):
    """A grouped convolution whose kernel is stored as a direction and one length per tap: w[:, :, k] = g[k] v / |v|.

    State-dict keys as of the original's (old-style) weight norm over dim 2: `weight_g` [1, 1, kernel], `weight_v`
    [width, width / groups, kernel], `bias` [width].
    """

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        conv = nn.Conv1d(width, width, kernel, groups=groups)
        nn.init.normal_(conv.weight, std=math.sqrt(4 / (kernel * width)))
        self.groups = groups
        self.padding = kernel // 2
        self.bias = nn.Parameter(torch.zeros(width))
        self.weight_g = nn.Parameter(torch.linalg.vector_norm(conv.weight.detach(), dim=(0, 1), keepdim=True))
        self.weight_v = nn.Parameter(conv.weight.detach())

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width padded"]:
        """[batch, width, frames] -> [batch, width, frames + 2 (kernel // 2) - kernel + 1]."""
        length = torch.linalg.vector_norm(self.weight_v, dim=(0, 1), keepdim=True)  # [1, 1, kernel]
        weight = self.weight_v * (self.weight_g / length)
        return F.conv1d(x, weight, self.bias, padding=self.padding, groups=self.groups)


class TransformerSentenceEncoderLayer(nn.Module):
    """One layer: attention and a feed-forward, each with a residual and a norm after (post-norm) or before (pre-norm).

    post-norm:  x = norm(x + attention(x));  x = norm(x + ffn(x))
    pre-norm:   x = x + attention(norm(x));  x = x + ffn(norm(x))

    where ffn(x) = fc2(activation(fc1(x))), and with activation_fn "glu" fc1 is a GLU_Linear with swish.

    Source: WavLM `WavLM.py`.
    """

    def __init__(self, config: WavLMConfig, has_relative_attention_bias: bool = False) -> None:
        super().__init__()
        width, ffn_width = config.encoder_embed_dim, config.encoder_ffn_embed_dim
        self.activation_fn = get_activation_fn(config.activation_fn)
        self.self_attn = MultiheadAttention(
            width,
            config.encoder_attention_heads,
            dropout=config.attention_dropout,
            self_attention=True,
            has_relative_attention_bias=has_relative_attention_bias,
            num_buckets=config.num_buckets,
            max_distance=config.max_distance,
            gru_rel_pos=config.gru_rel_pos,
        )
        self.dropout1 = nn.Dropout(config.dropout)
        self.dropout2 = nn.Dropout(config.activation_dropout)
        self.dropout3 = nn.Dropout(config.dropout)
        self.layer_norm_first = config.layer_norm_first
        self.self_attn_layer_norm = nn.LayerNorm(width)
        is_glu = config.activation_fn == "glu"
        self.fc1 = GLU_Linear(width, ffn_width, "swish") if is_glu else Linear(width, ffn_width)
        self.fc2 = Linear(ffn_width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def attention_input(self, x: Float[Tensor, "frames batch width"]) -> Float[Tensor, "frames batch width"]:
        """What queries, keys, values and the gate are made of: the layer's input, normed first in pre-norm models."""
        return self.self_attn_layer_norm(x) if self.layer_norm_first else x

    def attend(
        self,
        x: Float[Tensor, "frames batch width"],
        position_bias: PositionBias | None,
        padding_mask: Bool[Tensor, "batch frames"] | None = None,
        attn_mask: Tensor | None = None,
        report: Report = lambda _: None,
    ) -> Float[Tensor, "frames batch width"]:
        """The first half of the layer, residual and norm included."""
        inputs = self.attention_input(x)
        if position_bias is not None and position_bias.ndim == 2:
            attended = self._attend_in_blocks(inputs, position_bias, padding_mask, attn_mask, report)
        else:
            attended = self.self_attn(
                inputs,
                key_padding_mask=padding_mask,
                need_weights=False,
                attn_mask=attn_mask,
                position_bias=position_bias,
            ).output
        return self.add_attended(x, attended)

    def add_attended(
        self, x: Float[Tensor, "frames batch width"], attended: Float[Tensor, "frames batch width"]
    ) -> Float[Tensor, "frames batch width"]:
        """What ends the first half: the residual around attention and, in post-norm models, the norm."""
        x = x + self.dropout1(attended)
        return x if self.layer_norm_first else self.self_attn_layer_norm(x)

    def _attend_in_blocks(
        self, x: Tensor, curve: Tensor, padding_mask: Tensor | None, attn_mask: Tensor | None, report: Report
    ) -> Tensor:
        attention = self.self_attn
        q, k, v = attention.project_query(x), attention.project_key(x), attention.project_value(x)
        mask = additive_mask(attn_mask, padding_mask, (q.shape[0], q.shape[1], q.shape[2], k.shape[2]), 0, q.dtype)
        return attention.project_output(attend_in_blocks(q, k, v, curve, attention.compute_gate(x), mask, report))

    def feed_forward_input(self, x: Float[Tensor, "... width"]) -> Float[Tensor, "... width"]:
        """What fc1 receives: the result of `attend`, normed first in pre-norm models."""
        return self.final_layer_norm(x) if self.layer_norm_first else x

    def feed_forward(self, x: Float[Tensor, "... width"]) -> Float[Tensor, "... width"]:
        """The second half of the layer, residual and norm included."""
        parts = [x] if self.training else x.split(FRAMES_AT_ONCE)  # in training: one draw of dropout for the whole
        return torch.cat([self._feed_forward(part) for part in parts])

    def _feed_forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout2(self.activation_fn(self.fc1(self.feed_forward_input(x))))
        x = x + self.dropout3(self.fc2(hidden))
        return x if self.layer_norm_first else self.final_layer_norm(x)

    def forward(
        self,
        x: Float[Tensor, "frames batch width"],
        position_bias: PositionBias | None = None,
        padding_mask: Bool[Tensor, "batch frames"] | None = None,
        attn_mask: Tensor | None = None,
        report: Report = lambda _: None,
    ) -> Float[Tensor, "frames batch width"]:
        """[frames, batch, width] -> the same; `position_bias` is ungated, true in `padding_mask` is padding."""
        return self.feed_forward(self.attend(x, position_bias, padding_mask, attn_mask, report))


def _report_layer(report: Report, layer: int, num_layers: int, share: float) -> None:
    report((layer + share) / num_layers)


class EncoderOutput(NamedTuple):
    """What the encoder returns."""

    output: Float[Tensor, "batch frames width"]
    layer_results: list[tuple[Float[Tensor, "frames batch width"], None]]  # as the original: states, never weights


class TransformerEncoder(nn.Module):
    """x + positional convolution(x), then the layers; layer 0's bias table serves them all.

    Source: WavLM `WavLM.py`.
    """

    def __init__(self, config: WavLMConfig) -> None:
        super().__init__()
        width = config.encoder_embed_dim
        conv = WeightNormConv1d(width, config.conv_pos, config.conv_pos_groups)
        self.pos_conv = nn.Sequential(conv, SamePad(config.conv_pos), nn.GELU())
        self.layers = nn.ModuleList(
            TransformerSentenceEncoderLayer(config, config.relative_position_embedding and index == 0)
            for index in range(config.encoder_layers)
        )
        self.layer_norm_first = config.layer_norm_first
        self.layer_norm = nn.LayerNorm(width)
        self.dropout = config.dropout
        self.layerdrop = config.encoder_layerdrop
        self.apply(init_bert_params)

    def block(self, layer: int) -> TransformerSentenceEncoderLayer:
        """One layer of the transformer."""
        return cast(TransformerSentenceEncoderLayer, self.layers[layer])

    def compute_position_bias(self, num_frames: int) -> Float[Tensor, "heads queries keys"] | None:
        """What every layer gates and adds to its logits, [heads, frames, frames]; None without relative positions."""
        attention = self.block(0).self_attn
        return attention.compute_bias(num_frames, num_frames) if attention.has_relative_attention_bias else None

    def compute_bias_curve(self, num_frames: int) -> Float[Tensor, "heads distances"] | None:
        """The same in short: one number a head for each distance, with which attention goes block by block."""
        attention = self.block(0).self_attn
        if not attention.has_relative_attention_bias:
            return None
        return attention.bias_of_distances(torch.arange(1 - num_frames, num_frames))

    def states(
        self,
        x: Float[Tensor, "batch frames width"],
        padding_mask: Bool[Tensor, "batch frames"] | None = None,
        streaming_mask: Tensor | None = None,
        report: Report = lambda _: None,
    ) -> Iterator[Float[Tensor, "frames batch width"]]:
        """Yield what enters layer 0, then what leaves each layer, as soon as it is known.

        Layer 0 receives the projected frames with positions added by convolution and, in post-norm models, normed by
        the encoder's layer norm. Padded frames are set to zero first.
        """
        if padding_mask is not None:
            x = x.masked_fill(padding_mask.unsqueeze(-1), 0)
        x = x + self.pos_conv(x.transpose(1, 2)).transpose(1, 2)
        x = x if self.layer_norm_first else self.layer_norm(x)
        x = F.dropout(x, self.dropout, self.training).transpose(0, 1)  # [frames, batch, width]
        yield x
        num_frames = x.shape[0]
        bias = self.compute_position_bias(num_frames) if self.training else self.compute_bias_curve(num_frames)
        for index, block in enumerate(self.layers):
            if not self.training or np.random.random() > self.layerdrop:  # noqa: NPY002 - the original's draws
                within = partial(_report_layer, report, index, len(self.layers))
                x = block(x, bias, padding_mask, streaming_mask, within)
            report((index + 1) / len(self.layers))
            yield x

    def finish(self, x: Float[Tensor, "frames batch width"]) -> Float[Tensor, "batch frames width"]:
        """Bring the last layer's state into the form the model returns; pre-norm models norm it here."""
        x = x.transpose(0, 1)
        return self.layer_norm(x) if self.layer_norm_first else x

    def forward(
        self,
        x: Float[Tensor, "batch frames width"],
        padding_mask: Bool[Tensor, "batch frames"] | None = None,
        streaming_mask: Tensor | None = None,
        layer: int | None = None,
    ) -> EncoderOutput:
        """Run the layers.

        With `layer`, the run stops behind that layer, its state is returned without a final norm, and `layer_results`
        holds layer 0's input and each layer's output; an index that names no layer runs them all.
        """
        states = []
        for index, state in enumerate(self.states(x, padding_mask, streaming_mask), start=-1):
            states = [state] if layer is None else [*states, state]
            if layer is not None and index == layer >= 0:
                break
        if layer is None:
            return EncoderOutput(self.finish(states[-1]), [])
        return EncoderOutput(states[-1].transpose(0, 1), [(state, None) for state in states])
