"""One forward pass, remembered, and all that can be asked of it afterwards."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from .audio import SAMPLE_RATE, Audio
from .capacity import check_map_memory, check_pass_memory
from .indices import Heads, check_index, choose, choose_slice
from .interventions import Intervention, Plan
from .layer_attention import AttentionTerms, LayerAttention, LayerSummary, to_cpu
from .measures import MEASURE_NAMES, Estimate
from .modules import GLU_Linear, GLUTerms
from .passes import Progress, ignore, later_pass, whole_pass
from .pooling import MAX_CELLS, pooling_factor
from .wavlm import WavLM

THUMBNAIL_CELLS = 64
SAMPLED_ROWS = 512

__all__ = ["AttentionTerms", "LayerSummary", "Trace", "trace"]


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
    interventions: tuple[Intervention, ...] = ()  # under which all this was computed, and is shown

    def __repr__(self) -> str:
        shape = f"{self.num_layers} layers, {self.num_heads} heads, {self.num_frames} frames"
        shape += f", {len(self.interventions)} interventions" if self.interventions else ""
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
        """Attention weights of one layer, true per head; rows sum to one, or to zero where every key is barred.

        heads: one, several, a slice, or None for all; the axis stays. queries: a slice of frames, or None for all.

        Raises: IndexError naming the range; MemoryError with the size and what to ask for instead.
        """
        rows, chosen = choose_slice("queries", queries, self.num_frames), choose("head", heads, self.num_heads)
        check_map_memory(len(chosen), len(rows), self.num_frames)
        return self.layer_attention(layer).weights(chosen, rows)

    @torch.no_grad()
    def attention_terms(
        self, layer: SupportsIndex, head: SupportsIndex, queries: slice | None = None
    ) -> AttentionTerms:
        """One head's attention taken apart: what comes from content, what from position, and their softmax.

        Raises: as `attention`.
        """
        head = check_index("head", head, self.num_heads)
        rows = choose_slice("queries", queries, self.num_frames)
        check_map_memory(1, len(rows), self.num_frames)
        return AttentionTerms(*(term[0] for term in self.layer_attention(layer).terms(torch.tensor([head]), rows)))

    @torch.no_grad()
    def terms_of_heads(self, layer: SupportsIndex, queries: slice | None = None) -> AttentionTerms:
        """Every head's attention taken apart at once: `attention_terms`, with an axis of heads before each term.

        Raises: as `attention`.
        """
        rows = choose_slice("queries", queries, self.num_frames)
        check_map_memory(self.num_heads, len(rows), self.num_frames)
        return self.layer_attention(layer).terms(torch.arange(self.num_heads), rows)

    @torch.no_grad()
    def attention_overview(
        self, layer: SupportsIndex, heads: Heads = None, cells: int = MAX_CELLS
    ) -> Float[Tensor, "heads query_cells key_cells"]:
        """Maps of at most cells x cells, for a clip of any length: each cell the largest weight of those it covers.

        A cell covers factor x factor frames, factor = ceil(frames / cells); where that is 1 these are the weights.

        Raises: IndexError naming the range.
        """
        chosen = choose("head", heads, self.num_heads)
        return self.layer_attention(layer).overview(chosen, pooling_factor(self.num_frames, cells))

    @torch.no_grad()
    def mean_attention_overview(
        self, layer: SupportsIndex, cells: int = MAX_CELLS
    ) -> Float[Tensor, "query_cells key_cells"]:
        """The same of the mean of all heads, which is what other tools call the attention of a layer."""
        return self.layer_attention(layer).mean_overview(pooling_factor(self.num_frames, cells))

    @torch.no_grad()
    def terms_overview(self, layer: SupportsIndex, head: SupportsIndex, cells: int = MAX_CELLS) -> AttentionTerms:
        """One head's terms, each at most cells x cells: of those it covers a cell has the value largest in size."""
        head = torch.tensor([check_index("head", head, self.num_heads)])
        return self.layer_attention(layer).terms_overview(head, pooling_factor(self.num_frames, cells))

    @torch.no_grad()
    def layer_attention(self, layer: SupportsIndex) -> LayerAttention:
        """One layer's attention as it really acted, of which all maps are made; the latest stays, for its next head."""
        layer = check_index("layer", layer, self.num_layers)
        attention = self._latest_attention.get(layer)
        if attention is None:
            attention = self.plan.attention(layer, self._layer_input(layer))
            self._latest_attention.clear()
            self._latest_attention[layer] = attention
        return attention

    @torch.no_grad()
    def gate(self, layer: SupportsIndex) -> Float[Tensor, "heads frames"]:
        """What each frame multiplies each head's bias by; ones for a model without a gate."""
        return self.layer_attention(layer).gate()

    @torch.no_grad()
    def context(self, layer: SupportsIndex) -> Float[Tensor, "heads frames head_dim"]:
        """What the heads hand on: the values, gathered by the weights, and what interventions make of that."""
        layer = check_index("layer", layer, self.num_layers)
        return to_cpu(self.plan.context(layer, self._layer_input(layer))[0])

    @torch.no_grad()
    def attention_input(self, layer: SupportsIndex) -> Float[Tensor, "frames width"]:
        """What one layer's queries, keys, values and gate are made of."""
        layer = check_index("layer", layer, self.num_layers)
        return to_cpu(self.model.encoder.block(layer).attention_input(self._layer_input(layer))[:, 0])

    @torch.no_grad()
    def feed_forward_input(self, layer: SupportsIndex) -> Float[Tensor, "frames width"]:
        """What one layer's feed-forward receives."""
        layer = check_index("layer", layer, self.num_layers)
        check_pass_memory(self.model.config, len(self.audio.samples), self.model.device)
        attended = self.plan.attend(layer, self._layer_input(layer))
        return to_cpu(self.model.encoder.block(layer).feed_forward_input(attended)[:, 0])

    @torch.no_grad()
    def glu(self, layer: SupportsIndex) -> GLUTerms:
        """The gated linear unit of one layer's feed-forward: value, gate_input, gate and output, [frames, ffn].

        Raises: ValueError for a model whose feed-forward has none; IndexError.
        """
        layer = check_index("layer", layer, self.num_layers)
        fc1 = self.model.encoder.block(layer).fc1
        if not isinstance(fc1, GLU_Linear):
            raise ValueError(
                "Expected a feed-forward with a gated linear unit (activation_fn='glu'); this model's has "
                f"activation_fn={self.model.config.activation_fn!r}, so none of its {self.num_layers} layers has one."
            )
        terms = fc1.terms(self.feed_forward_input(layer).to(self.model.device, self.model.mask_emb.dtype))
        return GLUTerms(*(to_cpu(term) for term in terms))

    def measures(self, layers: Heads = None) -> dict[str, Float[Tensor, "layers heads"]]:
        """Numbers for every head of some layers or all, [layers, heads] each; `wavlm_explorer.measures` defines them.

        They are exact, and are remembered: only layers that were not asked for before are computed.
        """
        chosen = choose("layer", layers, self.num_layers).tolist()
        numbers = [self.layer_summary(layer).measures for layer in chosen]
        return {name: torch.stack([layer[name] for layer in numbers]) for name in MEASURE_NAMES}

    @torch.no_grad()
    def layer_summary(self, layer: SupportsIndex) -> LayerSummary:
        """Small maps and measures of all heads of a layer, remembered; both cost one go over its maps."""
        layer = check_index("layer", layer, self.num_layers)
        with self._summarizing:  # who asks for what is on its way waits for it
            if layer not in self._summaries:
                factor, seconds = pooling_factor(self.num_frames, THUMBNAIL_CELLS), self.model.config.frame_seconds
                self._summaries[layer] = self.layer_attention(layer).summary(factor, seconds)
            return self._summaries[layer]

    @torch.no_grad()
    def sampled_measures(
        self, layers: Heads = None, num_rows: int = SAMPLED_ROWS, seed: int = 0
    ) -> dict[str, Estimate]:
        """`measures` told from some rows of each map, with standard errors: for clips too long to look at every row.

        position_share is exact. verticality is not there: it is about the mean of all rows, and a sample's mean is not
        nearly as smooth.
        """
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randperm(self.num_frames, generator=generator)[:num_rows].sort().values
        chosen = choose("layer", layers, self.num_layers).tolist()
        seconds = self.model.config.frame_seconds
        numbers = [self.layer_attention(layer).sampled_measures(rows, seconds) for layer in chosen]
        return {
            name: Estimate(*map(torch.stack, zip(*(layer[name] for layer in numbers), strict=True)))
            for name in numbers[0]
        }

    def what_if(self, interventions: Iterable[Intervention], progress: Progress | None = None) -> "Trace":
        """Let the clip pass once more under interventions, and under those that this trace is under already.

        The result is that of `trace(model, audio, interventions=[...])`, but layers below the first that is touched on
        do not run again. This trace stays as it is. progress: as of `trace`.

        Raises: as `trace`; ValueError for hidden frames of a trace that came without what hears.
        """
        more = tuple(interventions)  # read once, should it be a generator
        plan, both = Plan(self.model, self.num_frames, more), (*self.interventions, *more)
        if plan.start < 0:
            return trace(self.model, self.audio, self.normalized, progress, both)
        together = Plan(self.model, self.num_frames, both)
        num_samples, progress = len(self.audio.samples), progress or ignore
        record = later_pass(self.model, num_samples, self.hidden_states, plan.start, together, progress)
        return Trace(self.model, self.audio, self.normalized, *record, both)

    def save(self, path: str | Path) -> Path:
        """Write the trace to one file, which `load_trace` opens, wholly explorable, without the checkpoint.

        The file holds the sound, all that is kept here, and the weights of the layers, each number as it is: most of it
        are those weights. It appears under its name only when it is whole. Returns the path.

        Raises: ValueError for a trace that holds NaN or infinity, or states of another trace (`StatesPatched`); OSError
        as the system gives it.
        """
        from .trace_files import save_trace  # above this: it opens strangers' files as checkpoints are opened

        return save_trace(self, path)

    @cached_property
    def _summaries(self) -> dict[int, LayerSummary]:
        return {}

    @cached_property
    def _summarizing(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _latest_attention(self) -> dict[int, LayerAttention]:
        return {}

    def _layer_input(self, layer: int) -> Float[Tensor, "frames 1 width"]:
        return self.hidden_states[layer].unsqueeze(1).to(self.model.device, self.model.mask_emb.dtype)

    @cached_property
    def plan(self) -> Plan:
        """What the interventions mean for this model and clip."""
        return Plan(self.model, self.num_frames, self.interventions)


def trace(
    model: WavLM,
    audio: Audio,
    normalize: bool | None = None,
    progress: Progress | None = None,
    interventions: Iterable[Intervention] = (),
) -> Trace:
    """Run the model once over a clip and remember what entered every layer.

    normalize: bring the waveform to mean 0 and variance 1; None does what the model's config wants.
    progress: called with the share of the work done, 0 to 1, many times a layer; what it raises ends the pass.
    interventions: what is to be different while the clip passes; `wavlm_explorer.interventions` defines them.

    Raises: ValueError for a model in training mode or a clip shorter than one frame; MemoryError with the size;
    IndexError or ValueError for an intervention that has no place here.
    """
    if model.training:
        raise ValueError("trace: expected a model in eval mode, found one in training mode; call model.eval()")
    interventions = tuple(interventions)
    plan = Plan(model, model.config.num_frames(len(audio.samples)), interventions)
    normalize = model.config.normalize if normalize is None else normalize
    record = whole_pass(model, audio.samples, normalize, plan, progress or ignore)
    return Trace(model, audio, normalize, *record, tuple(interventions))
