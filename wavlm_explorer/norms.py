"""A layer's norm on a clip's own numbers: in float32 inside, as the original has it, and wholly in half precision."""

from typing import NamedTuple, SupportsIndex

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .indices import check_index
from .layer_attention import to_cpu
from .modules import Fp32GroupNorm, Fp32LayerNorm
from .tracing import Trace

LAYER_NORM, GROUP_NORM = NORM_KINDS = ("layer norm", "group norm")
HALF_TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
SCALES = tuple(10.0**power for power in range(-3, 4))  # what the numbers are multiplied by, in `errors_by_scale`


@torch.no_grad()
def norm_input(trace: Trace, layer: SupportsIndex) -> tuple[nn.LayerNorm, Float[Tensor, "frames width"]]:
    """One norm of a layer and what reaches it: the first of a pre-norm layer, of a post-norm layer the last.

    The first reads what enters the layer; the last reads a sum that no trace keeps, x + ffn(x), computed again here.

    Raises: IndexError for a layer that is not there.
    """
    layer = check_index("layer", layer, trace.num_layers)
    block = trace.model.encoder.block(layer)
    if block.layer_norm_first:
        return block.self_attn_layer_norm, trace.hidden_states[layer]
    x = trace.feed_forward_input(layer).to(trace.model.device, trace.model.mask_emb.dtype)
    return block.final_layer_norm, to_cpu(x + block.fc2(block.activation_fn(block.fc1(x))))


class NormSubject(NamedTuple):
    """Numbers, and a norm that brings each row of them to mean 0 and variance 1."""

    norm: Fp32LayerNorm | Fp32GroupNorm
    rows: Float[Tensor, "rows columns"]  # layer norm: a row is a frame, group norm: a row is a channel

    @property
    def is_group(self) -> bool:
        """Whether a row is a channel."""
        return isinstance(self.norm, Fp32GroupNorm)

    def by_channel(self, values: Float[Tensor, "rows columns"]) -> Float[Tensor, "channels frames"]:
        """Turn rows and columns into channels and frames."""
        return values if self.is_group else values.T


def norm_subject(trace: Trace, layer: SupportsIndex, kind: str) -> NormSubject:
    """Make the norm of a layer, or a group norm for the same numbers: one group a channel, and nothing learned.

    Raises: ValueError for a kind that is not in NORM_KINDS; IndexError for a layer that is not there.
    """
    own, x = norm_input(trace, layer)
    width = x.shape[1]
    if kind == GROUP_NORM:
        return NormSubject(Fp32GroupNorm(width, width, affine=False), x.T)
    if kind != LAYER_NORM:
        raise ValueError(f"kind: expected one of {', '.join(NORM_KINDS)}; found {kind!r}")
    norm = Fp32LayerNorm(width, own.eps).requires_grad_(False)
    norm.load_state_dict(own.state_dict())
    return NormSubject(norm, x)


class Moments(NamedTuple):
    """What a norm computes of each row on its way, and its result."""

    mean: Float[Tensor, " rows"]
    variance: Float[Tensor, " rows"]
    output: Float[Tensor, "rows columns"]


def norm_step_by_step(subject: NormSubject, rows: Float[Tensor, "rows columns"]) -> Moments:
    """Norm rows with every result stored in their own type: mean, differences, squares, variance, root, quotient.

    Only inside a mean PyTorch adds up in float32, as the hardware does. Beyond 65504 float16 is infinite.
    """
    norm = subject.norm
    mean = rows.mean(dim=1, keepdim=True)
    centred = rows - mean
    variance = centred.square().mean(dim=1, keepdim=True)
    output = centred / (variance + norm.eps).sqrt()
    if norm.weight is not None and norm.bias is not None:
        output = output * norm.weight.to(rows.dtype) + norm.bias.to(rows.dtype)
    return Moments(mean[:, 0].float(), variance[:, 0].float(), output.float())


class NormComparison(NamedTuple):
    """The same numbers through the same norm, three times."""

    exact: Moments  # in float32 from beginning to end
    protected: Float[Tensor, "rows columns"]  # Fp32LayerNorm or Fp32GroupNorm on half-precision numbers
    half: Moments  # half precision from beginning to end
    builtin: Float[Tensor, "rows columns"]  # PyTorch's own norm on half-precision numbers

    @property
    def overflowed(self) -> Bool[Tensor, " rows"]:
        """The rows whose mean or variance half precision cannot hold."""
        return ~(self.half.mean.isfinite() & self.half.variance.isfinite())

    def error(self, output: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
        """How far a result is from the exact one; infinite where it is no number."""
        return (output - self.exact.output).abs().nan_to_num(nan=torch.inf)


@torch.no_grad()
def compare_norms(subject: NormSubject, half: str, scale: float) -> NormComparison:
    """Multiply the numbers by `scale`, then norm them in float32, in float32 between half types, and in half precision.

    Raises: KeyError for a half type that is not in HALF_TYPES.
    """
    rows = subject.rows * scale
    halved = rows.to(HALF_TYPES[half])
    norm = subject.norm
    if isinstance(norm, Fp32GroupNorm):
        protected, builtin = norm(halved[None])[0], F.group_norm(halved[None], norm.num_groups, eps=norm.eps)[0]
    else:
        protected = norm(halved)
        weight, bias = norm.weight.to(halved.dtype), norm.bias.to(halved.dtype)
        builtin = F.layer_norm(halved, norm.normalized_shape, weight, bias, norm.eps)
    exact, stepped = norm_step_by_step(subject, rows), norm_step_by_step(subject, halved)
    return NormComparison(exact, protected.float(), stepped, builtin.float())


def errors_by_scale(subject: NormSubject, half: str) -> Float[Tensor, "scales 2"]:
    """The largest error for each of SCALES: of the protected norm, and wholly in half precision.

    Raises: as `compare_norms`.
    """
    compared = [compare_norms(subject, half, scale) for scale in SCALES]
    return torch.tensor([[float(one.error(out).max()) for out in (one.protected, one.half.output)] for one in compared])
