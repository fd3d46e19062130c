"""Interventions put to work: checked against a model and a clip, sorted by where they act, and carried out."""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..indices import choose
from ..layer_attention import LayerAttention, attention_parts
from ..wavlm import WavLM
from .attention import AttentionIntervention, AttentionUniform, Chosen, Context, Gate
from .states import FramesHidden, LayersSkipped, Patch, StatesPatched

Intervention = AttentionIntervention | FramesHidden | LayersSkipped | StatesPatched
State = Float[Tensor, "frames 1 width"]


class Plan:
    """What interventions mean for one model and clip. Without any, every layer runs as ever.

    A layer whose attention is touched on computes it by the path that shows it, block of rows by block of rows: what
    is shown afterwards is what was used. All other layers run as they always do.

    start: the last hidden state that a pass without these interventions can lend, before its patches: from there on
        layers must run again. -1 where the sound itself is touched on.

    Raises: TypeError for what is no intervention; IndexError naming the range; ValueError with what was expected and
    found.
    """

    def __init__(self, model: WavLM, num_frames: int, interventions: Sequence[Intervention]) -> None:
        self.is_empty = not interventions
        self._model, self._num_layers = model, model.config.encoder_layers
        self._hidden = torch.zeros(num_frames, dtype=torch.bool)
        self._skipped: set[int] = set()
        self._patches: dict[int, list[Patch]] = {}
        self._edits: dict[int, list[tuple[AttentionIntervention, Chosen]]] = {}
        self.start = min((self._take(one, num_frames) for one in interventions), default=self._num_layers)

    def _take(self, intervention: Intervention, num_frames: int) -> int:
        """Note one intervention; return its own `start`."""
        config = self._model.config
        match intervention:
            case FramesHidden():
                self._hidden[choose("frame", intervention.frames, num_frames)] = True
                return -1
            case StatesPatched():
                shape = (self._num_layers + 1, num_frames, config.encoder_embed_dim)
                state, patch = intervention.bind(shape)
                self._patches.setdefault(state, []).append(patch)
                return state
            case LayersSkipped():
                layers = choose("layer", intervention.layers, self._num_layers).tolist()
                self._skipped.update(layers)
            case AttentionIntervention():
                intervention.check(config, num_frames)
                layers = choose("layer", intervention.layers, self._num_layers).tolist()
                heads = choose("head", intervention.heads, config.encoder_attention_heads).unique()
                for layer in set(layers):
                    self._edits.setdefault(layer, []).append((intervention, heads.to(self._model.device)))
            case _:
                raise TypeError(f"interventions: expected some of wavlm_explorer.interventions; found {intervention!r}")
        return min(layers, default=self._num_layers)

    def hide(self, frames: Float[Tensor, "1 frames width"]) -> Float[Tensor, "1 frames width"]:
        """Put the mask embedding in the place of the hidden ones among the frames that enter the encoder."""
        if not self._hidden.any():
            return frames
        mask = self._model.mask_emb.to(frames.dtype)
        return torch.where(self._hidden[:, None].to(frames.device), mask, frames)

    def attention(self, layer: int, x: State) -> LayerAttention:
        """The attention of one layer, made of what enters it."""
        encoder = self._model.encoder
        parts = attention_parts(encoder, layer, x)
        for intervention, heads in sorted(self._edits.get(layer, ()), key=_acts_on_weights):
            parts = intervention.edit(parts, heads)
        parts = parts._replace(gate=self.edit_gate(layer, parts.gate))
        return LayerAttention(encoder.block(layer).self_attn, parts)

    def edit_gate(self, layer: int, gate: Gate) -> Gate:
        """Put what acts in a layer in the place of its gates, whatever they were made of."""
        for intervention, heads in self._edits.get(layer, ()):
            gate = intervention.edit_gate(gate, heads)
        return gate

    def acting(self, layer: int, head: int) -> list[AttentionIntervention]:
        """Those interventions that meet one head, in the order in which they act."""
        return [intervention for intervention, heads in self._edits.get(layer, ()) if head in heads]

    def skips(self, layer: int) -> bool:
        """Whether a layer lets its input through."""
        return layer in self._skipped

    def attend(self, layer: int, x: State) -> State:
        """The first half of one layer, residual and norm included."""
        block = self._model.encoder.block(layer)
        if layer not in self._edits:
            return block.attend(x, self._model.encoder.compute_bias_curve(len(x)))
        return block.add_attended(x, block.self_attn.project_output(self.context(layer, x)))

    def context(self, layer: int, x: State) -> Context:
        """What every head of a layer hands on."""
        block = self._model.encoder.block(layer)
        values = block.self_attn.project_value(block.attention_input(x))
        context = self.attention(layer, x).gather(values)
        for intervention, heads in self._edits.get(layer, ()):
            context = intervention.edit_context(context, heads)
        return context

    def states(self, x: State, first: int, report: Callable[[float], object] = lambda _: None) -> Iterator[State]:
        """Yield state `first`, which is x, and what leaves each layer from `first` on.

        report: called with the share of these layers done, 0 to 1.
        """
        for state in range(first, self._num_layers + 1):
            layer = state - 1
            if state > first and layer not in self._skipped:
                x = self._model.encoder.block(layer).feed_forward(self.attend(layer, x))
            for patch in self._patches.get(state, ()):
                x = patch.apply(x)
            report((state - first) / max(1, self._num_layers - first))
            yield x


def _acts_on_weights(edit: tuple[AttentionIntervention, Chosen]) -> bool:
    """Whether an edit comes after all that the logits are made of: it spreads the weights, whatever they would be."""
    return isinstance(edit[0], AttentionUniform)
