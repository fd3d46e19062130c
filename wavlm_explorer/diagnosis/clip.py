"""What happens to a clip in the model: by layer, by head, and under the other choices that shapes leave open."""

import dataclasses
import math
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..audio import SAMPLE_RATE, Audio
from ..measures import row_entropy
from ..modules import GLU_Linear
from ..tracing import Trace, trace
from ..wavlm import WavLM

LONGEST_SECONDS = 4.0  # enough to see every layer at work; a few hundred frames cost a second, not a minute


class Profile(NamedTuple):
    """A clip's hidden states in numbers, one for each state: what enters layer 0, then what leaves each layer."""

    root_mean_square: Float[Tensor, " states"]
    largest: Float[Tensor, " states"]
    cosine_to_next: Float[Tensor, " layers"]  # between what enters a layer and what leaves it, mean over frames
    change: Float[Tensor, " layers"]  # ||leaves - enters|| / ||enters||
    variety: Float[Tensor, " states"]  # share of the power that varies over time: 0 where all frames are alike


class Inside(NamedTuple):
    """What happens inside the layers on a clip."""

    scores: Float[Tensor, " layers"]  # largest absolute logit of the attention
    hidden: Float[Tensor, " layers"]  # largest absolute value inside the feed-forward
    entropy: Float[Tensor, "layers heads"]  # of the attention, 0 (a single frame) to 1 (all alike)
    likeness: Float[Tensor, "layers heads heads"]  # correlation between the maps of each two heads
    gates: Float[Tensor, "layers heads frames"]


def profile(states: Float[Tensor, "states frames width"]) -> Profile:
    """Measure the hidden states of a trace."""
    power = states.pow(2).mean(dim=(1, 2))
    varying = (states - states.mean(dim=1, keepdim=True)).pow(2).mean(dim=(1, 2))
    steps = torch.linalg.vector_norm(states[1:] - states[:-1], dim=(1, 2))
    return Profile(
        power.sqrt(),
        states.abs().amax(dim=(1, 2)),
        F.cosine_similarity(states[1:], states[:-1], dim=-1).mean(dim=-1),
        steps / torch.linalg.vector_norm(states[:-1], dim=(1, 2)).clamp(min=1e-30),
        varying / power.clamp(min=1e-30),
    )


class Clip:
    """A short clip and a model; each pass is made when it is first asked for."""

    def __init__(self, model: WavLM, audio: Audio) -> None:
        self.model = model
        self.audio = dataclasses.replace(audio, samples=audio.samples[: int(LONGEST_SECONDS * SAMPLE_RATE)])
        self.failure = ""  # why there is no trace

    @cached_property
    def trace(self) -> Trace | None:
        """The clip's way through the model as its config describes it; None, and `failure`, where there is none."""
        try:
            return trace(self.model, self.audio)
        except (ArithmeticError, LookupError, MemoryError, RuntimeError, ValueError) as error:
            self.failure = f"{type(error).__name__}: {error}"
            return None

    @property
    def made(self) -> Trace:
        """The trace; only for checks that need a clip."""
        assert self.trace is not None
        return self.trace

    @cached_property
    def profile(self) -> Profile:
        """The layers' hidden states in numbers."""
        return profile(self.made.hidden_states)

    @cached_property
    def other_normalization(self) -> Trace:
        """The clip with its waveform treated the other way: as it is, or with mean 0 and variance 1."""
        return trace(self.model, self.audio, normalize=not self.model.config.normalize)

    @cached_property
    def other_order(self) -> Trace:
        """The clip through the same weights with the layer norms in the other place."""
        config = dataclasses.replace(self.model.config, layer_norm_first=not self.model.config.layer_norm_first)
        with torch.device("meta"):
            model = WavLM(config)
        model.load_state_dict(self.model.state_dict(), assign=True)
        return trace(model.eval(), self.audio)

    @cached_property
    @torch.no_grad()
    def inside(self) -> Inside:
        """What happens inside the layers, each computed once for all checks."""
        encoder = self.model.encoder
        bias = encoder.compute_position_bias(self.made.num_frames)
        layers = []
        for layer in range(self.made.num_layers):
            block = encoder.block(layer)
            state = self.made.hidden_states[layer].unsqueeze(1)  # [frames, batch, width]
            attention, x = block.self_attn, block.attention_input(state)
            gate = attention.compute_gate(x)
            logits = attention.compute_content(attention.project_query(x), attention.project_key(x))
            if bias is not None:
                logits = logits + attention.compute_position(gate, bias[None])
            weights = attention.compute_weights(logits)[0]  # [heads, queries, keys]
            entering = block.feed_forward_input(block.attend(state, bias))
            wide = block.fc1.linear(entering) if isinstance(block.fc1, GLU_Linear) else block.fc1(entering)
            largest = (logits.abs().max(), wide.abs().max())
            layers.append((*largest, _evenness(weights), _likeness(weights), gate[0]))
        return Inside(*(torch.stack(values) for values in zip(*layers, strict=True)))

    def difference_of_normalization(self) -> float:
        """How much the model's output changes with the other treatment of the waveform, relative."""
        ours, theirs = self.made.output, self.other_normalization.output
        return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(ours).clamp(min=1e-30))


def _evenness(weights: Float[Tensor, "heads queries keys"]) -> Float[Tensor, " heads"]:
    return row_entropy(weights).mean(dim=-1) / math.log(max(weights.shape[-1], 2))


def _likeness(weights: Float[Tensor, "heads queries keys"]) -> Float[Tensor, "heads heads"]:
    maps = weights.flatten(1)
    maps = maps - maps.mean(dim=1, keepdim=True)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True).clamp(min=1e-30)
    return maps @ maps.T
