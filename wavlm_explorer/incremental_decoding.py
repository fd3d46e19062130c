"""A layer's attention run frame by frame with a memory, against the same attention run over all frames at once."""

from typing import NamedTuple, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from .indices import check_index
from .keeping import Keeper
from .layer_attention import to_cpu
from .masks import causal_mask
from .modules import MultiheadAttention
from .modules.incremental import IncrementalState
from .tracing import Trace

MAX_STEPS = 250  # frames that enter, 5 s: each is a run of the layer's attention


class Decoding(NamedTuple):
    """The first frames of a clip through one layer's attention, none of which sees a later one."""

    step_by_step: Float[Tensor, "heads steps keys"]  # row i as step i computed it; zeros for keys that were not there
    at_once: Float[Tensor, "heads steps keys"]  # the same under a causal mask
    output_difference: Float[Tensor, " steps"]  # the largest between the two outputs of the attention
    kept: int  # numbers in the memory after the last step

    @property
    def weight_difference(self) -> Float[Tensor, " steps"]:
        """The largest between the two rows of a step, over all heads."""
        return (self.step_by_step - self.at_once).abs().amax(dim=(0, 2))


def decode(trace: Trace, layer: SupportsIndex) -> Decoding:
    """Let the first MAX_STEPS frames enter one layer's attention one by one; the latest result is kept.

    A demonstration: the frames are what enters the layer in the real pass, where they have seen the whole clip. The
    layer is the model's own: of a trace's interventions it knows only what they changed below.

    Raises: IndexError for a layer that is not there.
    """
    layer = check_index("layer", layer, trace.num_layers)
    return _decodings.recall(trace, lambda: _decode(trace, layer), subject=layer)


_decodings: Keeper[Decoding] = Keeper()


@torch.no_grad()
def _decode(trace: Trace, layer: int) -> Decoding:
    encoder = trace.model.encoder
    attention, table = encoder.block(layer).self_attn, encoder.block(0).self_attn  # one table serves all layers
    x = trace.attention_input(layer)[:MAX_STEPS].unsqueeze(1).to(trace.model.device, trace.model.mask_emb.dtype)
    num_steps = len(x)
    at_once = attention(
        x,
        attn_mask=causal_mask(num_steps).to(x.device),
        position_bias=_bias(table, num_steps, num_steps, 0),
        need_head_weights=True,
    )
    memory: IncrementalState = {}
    rows, outputs = torch.zeros_like(at_once.weights[:, 0]), []
    for step in range(num_steps):
        result = attention(
            x[step : step + 1],
            incremental_state=memory,
            position_bias=_bias(table, 1, step + 1, step),
            need_head_weights=True,
        )
        rows[:, step, : step + 1] = result.weights[:, 0, 0]
        outputs.append(result.output)
    difference = (torch.cat(outputs) - at_once.output).abs().amax(dim=(1, 2))
    kept = sum(tensor.numel() for state in memory.values() for tensor in state.values() if tensor is not None)
    return Decoding(to_cpu(rows), to_cpu(at_once.weights[:, 0]), to_cpu(difference), kept)


def _bias(
    table: MultiheadAttention, num_queries: int, num_keys: int, offset: int
) -> Float[Tensor, "heads queries keys"] | None:
    return table.compute_bias(num_queries, num_keys, offset) if table.has_relative_attention_bias else None


class Work(NamedTuple):
    """Floating-point operations of each step in one layer's attention; a multiplication and an addition are two."""

    with_memory: Float[Tensor, " steps"]  # query, key, value and output of one frame
    without: Float[Tensor, " steps"]  # the keys and values of all frames so far are projected once more


def count_work(width: int, num_steps: int) -> Work:
    """Count the products of each step: projections, logits and the weighted sum; gate and softmax are left out."""
    keys = torch.arange(1, num_steps + 1, dtype=torch.float64)
    attending, projection = 2 * 2 * keys * width, 2 * width**2  # the latter of one frame by one matrix
    return Work((attending + 4 * projection).float(), (attending + (2 + 2 * keys) * projection).float())
