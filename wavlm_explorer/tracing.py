"""One forward pass, remembered, and all that can be asked of it afterwards."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
import psutil
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .audio import SAMPLE_RATE, Audio
from .config import WavLMConfig
from .encoder import TransformerSentenceEncoderLayer
from .measures import MEASURE_NAMES, MapSums
from .modules import GLU_Linear, GLUTerms
from .wavlm import WavLM

Heads = SupportsIndex | Sequence[SupportsIndex] | np.ndarray | Tensor | slice | None

NORMALIZATION_EPSILON = 1e-5
BLOCK_BYTES = 64 << 20  # how much of a layer's maps is held at once while it is measured


class AttentionTerms(NamedTuple):
    """One head's attention, taken apart: logits = content + position, position = gate x bucket_bias."""

    content: Float[Tensor, "queries keys"]  # scaled q.k
    bucket_bias: Float[Tensor, "queries keys"]  # zeros for a model without relative positions
    gate: Float[Tensor, " queries"]  # ones for a model without a gate
    position: Float[Tensor, "queries keys"]
    logits: Float[Tensor, "queries keys"]
    weights: Float[Tensor, "queries keys"]  # softmax(logits), rows sum to one


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """A clip's way through a WavLM.

    It keeps the input of every layer and the output; attention, gates and GLUs are computed again when they are asked
    for, by the very methods that the model's forward calls. All that is returned is float32, detached, on the CPU.
    Layers and heads count from 0; negative indices count from the end. The model is shared and never written to.
    """

    model: WavLM
    audio: Audio
    normalized: bool  # whether the waveform was brought to mean 0 and variance 1 first
    hidden_states: Float[Tensor, "states frames width"]  # [0] enters layer 0, [i + 1] leaves layer i
    output: Float[Tensor, "frames width"]  # what the model returns; for pre-norm models, behind the final layer norm

    def __repr__(self) -> str:
        shape = f"{self.num_layers} layers, {self.num_heads} heads, {self.num_frames} frames"
        return f"Trace({self.audio.name} through {self.model.source.name}: {shape})"

    @property
    def num_layers(self) -> int:
        """Layers of the transformer."""
        return self.hidden_states.shape[0] - 1

    @property
    def num_heads(self) -> int:
        """Heads of each layer."""
        return self.model.config.encoder_attention_heads

    @property
    def num_frames(self) -> int:
        """Frames of the clip, one each 20 ms."""
        return self.hidden_states.shape[1]

    @cached_property
    def frame_times(self) -> Float[Tensor, " frames"]:
        """The centre of what each frame sees, in seconds from the start of the file."""
        config = self.model.config
        centres = torch.arange(self.num_frames) * config.hop_samples + config.receptive_field_samples / 2
        return (self.audio.start + centres.double() / SAMPLE_RATE).float()

    @torch.no_grad()
    def attention(
        self, layer: SupportsIndex, heads: Heads = None, queries: slice | None = None
    ) -> Float[Tensor, "heads queries keys"]:
        """Attention weights of one layer, true per head; rows sum to one.

        heads: one, several, a slice, or None for all; the axis stays. queries: a slice of frames, or None for all.

        Raises: IndexError naming the range; MemoryError with the size and what to ask for instead.
        """
        layer = _check_index("layer", layer, self.num_layers)
        rows = torch.arange(self.num_frames)[_forward_slice("queries", queries)]
        chosen = self._choose_heads(heads)
        self._check_memory(len(chosen), len(rows))
        return self._terms(layer, chosen, rows).weights

    @torch.no_grad()
    def attention_terms(
        self, layer: SupportsIndex, head: SupportsIndex, queries: slice | None = None
    ) -> AttentionTerms:
        """One head's attention taken apart: what comes from content, what from position, and their softmax.

        Raises: as `attention`.
        """
        layer = _check_index("layer", layer, self.num_layers)
        head = _check_index("head", head, self.num_heads)
        rows = torch.arange(self.num_frames)[_forward_slice("queries", queries)]
        self._check_memory(1, len(rows))
        return AttentionTerms(*(term[0] for term in self._terms(layer, torch.tensor([head]), rows)))

    @torch.no_grad()
    def terms_of_heads(self, layer: SupportsIndex, queries: slice | None = None) -> AttentionTerms:
        """Every head's attention taken apart at once: `attention_terms`, with an axis of heads before each term.

        Raises: as `attention`.
        """
        layer = _check_index("layer", layer, self.num_layers)
        rows = torch.arange(self.num_frames)[_forward_slice("queries", queries)]
        self._check_memory(self.num_heads, len(rows))
        return self._terms(layer, torch.arange(self.num_heads), rows)

    @torch.no_grad()
    def gate(self, layer: SupportsIndex) -> Float[Tensor, "heads frames"]:
        """What each frame multiplies each head's bias by; ones for a model without a gate."""
        block, x = self._layer_input(_check_index("layer", layer, self.num_layers))
        return _to_cpu(block.self_attn.compute_gate(block.attention_input(x))[0])

    @torch.no_grad()
    def attention_input(self, layer: SupportsIndex) -> Float[Tensor, "frames width"]:
        """What one layer's queries, keys, values and gate are made of."""
        block, x = self._layer_input(_check_index("layer", layer, self.num_layers))
        return _to_cpu(block.attention_input(x)[:, 0])

    @torch.no_grad()
    def feed_forward_input(self, layer: SupportsIndex) -> Float[Tensor, "frames width"]:
        """What one layer's feed-forward receives."""
        block, x = self._layer_input(_check_index("layer", layer, self.num_layers))
        check_pass_memory(self.model.config, len(self.audio.samples))
        attended = block.attend(x, self.model.encoder.compute_position_bias(self.num_frames))
        return _to_cpu(block.feed_forward_input(attended)[:, 0])

    @torch.no_grad()
    def glu(self, layer: SupportsIndex) -> GLUTerms:
        """The gated linear unit of one layer's feed-forward: value, gate_input, gate and output, [frames, ffn].

        Raises: ValueError for a model whose feed-forward has none; IndexError.
        """
        layer = _check_index("layer", layer, self.num_layers)
        fc1 = self.model.encoder.block(layer).fc1
        if not isinstance(fc1, GLU_Linear):
            raise ValueError(
                "Expected a feed-forward with a gated linear unit (activation_fn='glu'); this model's has "
                f"activation_fn={self.model.config.activation_fn!r}, so none of its {self.num_layers} layers has one."
            )
        terms = fc1.terms(self.feed_forward_input(layer).to(self.model.device, self.model.mask_emb.dtype))
        return GLUTerms(*(_to_cpu(term) for term in terms))

    def measures(self) -> dict[str, Float[Tensor, "layers heads"]]:
        """Numbers for every head, [layers, heads] each; `wavlm_explorer.measures` defines them."""
        return dict(self._measures)

    @cached_property
    @torch.no_grad()
    def _measures(self) -> dict[str, Tensor]:
        every_head = torch.arange(self.num_heads)
        num_rows = max(1, BLOCK_BYTES // (4 * self.num_heads * self.num_frames))
        layers = []
        for layer in range(self.num_layers):
            sums = MapSums(self.num_frames)
            for rows in torch.arange(self.num_frames).split(num_rows):
                terms = self._terms(layer, every_head, rows)
                sums.add(terms.weights, terms.content, terms.position)
            layers.append(sums.measures(self.model.config.frame_seconds))
        return {name: torch.stack([numbers[name] for numbers in layers]) for name in MEASURE_NAMES}

    def _terms(self, layer: int, heads: Int[Tensor, " heads"], rows: Int[Tensor, " queries"]) -> AttentionTerms:
        """The terms of several heads at once: each as in AttentionTerms, with an axis of heads before it."""
        block, x = self._layer_input(layer)
        attention = block.self_attn
        x = block.attention_input(x)
        q = attention.project_query(x)[:, heads][:, :, rows]
        k = attention.project_key(x)[:, heads]
        content = attention.compute_content(q, k)  # [1, heads, queries, keys]
        gate = attention.compute_gate(x)[:, heads][:, :, rows]
        bias = self._bias_rows(heads, rows)
        bias = torch.zeros_like(content) if bias is None else bias[None]
        position = attention.compute_position(gate, bias)
        logits = content + position
        weights = attention.compute_weights(logits)
        return AttentionTerms(*(_to_cpu(term[0]) for term in (content, bias, gate, position, logits, weights)))

    def _bias_rows(
        self, heads: Int[Tensor, " heads"], rows: Int[Tensor, " queries"]
    ) -> Float[Tensor, "heads queries keys"] | None:
        attention = self.model.encoder.block(0).self_attn
        if not attention.has_relative_attention_bias:
            return None
        if len(rows) and int(rows[-1] - rows[0]) == len(rows) - 1:
            return attention.compute_bias(len(rows), self.num_frames, query_offset=int(rows[0]), heads=heads)
        distances = torch.arange(self.num_frames) - rows[:, None]  # [queries, keys]
        return attention.bias_of_distances(distances.flatten())[heads].unflatten(1, distances.shape)

    def _layer_input(self, layer: int) -> tuple[TransformerSentenceEncoderLayer, Tensor]:
        x = self.hidden_states[layer].unsqueeze(1)  # [frames, batch, width]
        return self.model.encoder.block(layer), x.to(self.model.device, self.model.mask_emb.dtype)

    def _choose_heads(self, heads: Heads) -> Int[Tensor, " heads"]:
        if heads is None or isinstance(heads, slice):
            return torch.arange(self.num_heads)[_forward_slice("heads", heads)]
        is_one = (getattr(heads, "ndim", 0) == 0 and not isinstance(heads, Sequence)) or isinstance(heads, str)
        chosen = [heads] if is_one else list(heads)  # type: ignore[arg-type]
        return torch.tensor([_check_index("head", head, self.num_heads) for head in chosen], dtype=torch.long)

    def _check_memory(self, num_heads: int, num_queries: int) -> None:
        """Refuse maps that do not fit: content, bias, position, logits and weights are float32."""
        check_memory(
            5 * 4 * num_heads * num_queries * self.num_frames,
            f"{num_heads} heads x {num_queries} queries x {self.num_frames} keys",
            "Ask for fewer heads (heads=0) or rows (queries=slice(0, 500)).",
        )


@torch.no_grad()
def trace(
    model: WavLM, audio: Audio, normalize: bool | None = None, progress: Callable[[float], object] | None = None
) -> Trace:
    """Run the model once over a clip and remember what entered every layer.

    normalize: bring the waveform to mean 0 and variance 1; None does what the model's config wants.
    progress: called with the share done, 0 to 1, after the front end and after each layer.

    Raises: ValueError for a model in training mode or a clip shorter than one frame; MemoryError with the size.
    """
    if model.training:
        raise ValueError("trace: expected a model in eval mode, found one in training mode; call model.eval()")
    check_pass_memory(model.config, len(audio.samples))
    normalize = model.config.normalize if normalize is None else normalize
    samples = torch.tensor(audio.samples, device=model.device)
    if normalize:
        samples = (samples - samples.mean()) / torch.sqrt(samples.var(correction=0) + NORMALIZATION_EPSILON)
    frames = model.project(model.extract_frames(samples.unsqueeze(0).to(model.mask_emb.dtype)))
    states, last = [], frames
    for last in model.encoder.states(frames):
        states.append(_to_cpu(last[:, 0]))
        if progress is not None:
            progress(len(states) / (model.config.encoder_layers + 1))
    return Trace(model, audio, normalize, torch.stack(states), _to_cpu(model.encoder.finish(last)[0]))


def _to_cpu(tensor: Tensor) -> Float[Tensor, "..."]:
    return tensor.to("cpu", torch.float32)


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what would not fit.

    Raises: MemoryError with the size needed, the size free, and what to ask for instead.
    """
    available = psutil.virtual_memory().available
    if needed > available:
        raise MemoryError(f"{what} need about {needed / 1e9:.1f} GB; {available / 1e9:.1f} GB are free. {advice}")


def check_pass_memory(config: WavLMConfig, num_samples: int) -> None:
    """Refuse a clip whose forward pass would not fit: the first convolution, or the position bias of all heads.

    Raises: MemoryError.
    """
    num_frames, first = config.num_frames(num_samples), config.conv_layers[0]
    attention = 3 * 4 * config.encoder_attention_heads * num_frames**2  # the bias, gated, and the kernel's own copy
    convolution = 3 * 4 * first.channels * (num_samples // first.stride)
    feed_forward = 3 * 4 * num_frames * config.encoder_ffn_embed_dim
    seconds = num_samples / SAMPLE_RATE
    check_memory(
        max(attention, convolution, feed_forward),
        f"{seconds:.1f} s of sound, {num_frames} frames through {config.encoder_attention_heads} heads,",
        "Choose a shorter part: load_audio(..., start=0, duration=30).",
    )


def _check_index(what: str, index: Any, length: int) -> int:
    if isinstance(index, bool | np.bool_) or not isinstance(index, SupportsIndex):
        raise TypeError(f"{what}: expected a whole number, found {index!r} ({type(index).__name__})")
    number = operator.index(index)
    if not -length <= number < length:
        raise IndexError(
            f"{what} {number} is out of range: expected 0 to {length - 1}, or -{length} to -1 from the end"
        )
    return number % length


def _forward_slice(what: str, rows: slice | None) -> slice:
    """Refuse what a tensor cannot be sliced by."""
    if rows is not None and not isinstance(rows, slice):
        raise TypeError(f"{what}: expected a slice such as slice(0, 100), or None for all; found {rows!r}")
    if rows is not None and rows.step is not None and rows.step < 1:
        raise IndexError(f"{what}: expected a slice with a step of at least 1; found a step of {rows.step}")
    return slice(None) if rows is None else rows
