"""What is examined: a checkpoint, and what can be computed from it, each thing once."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from statistics import median
from typing import Literal

import torch
from torch import Tensor

from ..audio import Audio
from ..checkpoints import CheckpointError, build_model
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.geometry import nearest_release
from ..config import WavLMConfig
from ..tracing import Trace
from ..wavlm import make_empty
from .check import NEEDS, Check
from .clip import Clip
from .statistics import Statistics, correlation, log_norms, measure

LAYER = re.compile(r"encoder\.layers\.(\d+)\.(.+)")
TABLE = "encoder.layers.0.self_attn.relative_attention_bias.weight"
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "out_proj")
MATRICES = (*(f"self_attn.{name}.weight" for name in PROJECTIONS), "fc1.weight", "fc1.linear.weight", "fc2.weight")
NORMS = ("self_attn_layer_norm", "final_layer_norm")
FRESH_SHARE = 0.75  # of all layer norms exactly at 1 and 0: training moves every one of them in its first steps
TRACE_OF_TRAINING = (
    0.25  # correlation of lengths that training balances; 0.7 to 0.95 in trained models, 0 in fresh ones
)


class Subject:
    """A checkpoint under examination. What is costly is computed when a check first asks for it."""

    def __init__(self, checkpoint: Checkpoint, audio: Audio) -> None:
        self.checkpoint = checkpoint
        self.audio = audio

    @property
    def config(self) -> WavLMConfig:
        """The config; only for checks that need one."""
        assert self.checkpoint.config is not None
        return self.checkpoint.config

    @cached_property
    def expected(self) -> dict[str, tuple[int, ...]]:
        """The shapes that the config asks for; without one, those that fit what most shapes say, or none."""
        shapes_say = self.checkpoint.shapes_say
        try:
            config = self.checkpoint.config or dataclasses.replace(nearest_release(shapes_say), **shapes_say)
            model = make_empty(config)
        except (RuntimeError, TypeError, ValueError):
            return {}
        return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}

    @cached_property
    def numbers(self) -> dict[str, Tensor]:
        """The encoder's tensors of floating point numbers, whatever their shape, those beyond the config too.

        Those of one byte are widened: PyTorch cannot compare them.
        """
        floating = {name: tensor for name, tensor in self.checkpoint.tensors.items() if tensor.is_floating_point()}
        return {name: tensor if tensor.element_size() > 1 else tensor.float() for name, tensor in floating.items()}

    @cached_property
    def statistics(self) -> dict[str, Statistics]:
        """The statistics of each of `numbers`."""
        return {name: measure(tensor) for name, tensor in self.numbers.items()}

    @cached_property
    def sound(self) -> dict[str, Tensor]:
        """The tensors that have the expected shape and hold finite numbers: those that can be compared."""
        return {
            name: tensor
            for name, tensor in self.numbers.items()
            if tuple(tensor.shape) == self.expected.get(name) and self.statistics[name].is_finite
        }

    @cached_property
    def roles(self) -> dict[str, dict[int, Tensor]]:
        """Sound tensors of the layers: role ("fc1.weight") -> layer -> tensor."""
        roles: dict[str, dict[int, Tensor]] = {}
        for name, tensor in self.sound.items():
            if found := LAYER.fullmatch(name):
                roles.setdefault(found[2], {})[int(found[1])] = tensor
        return roles

    def of_layer(self, layer: int, role: str) -> Tensor | None:
        """One sound tensor of a layer, as float32; None where there is none."""
        tensor = self.roles.get(role, {}).get(layer)
        return None if tensor is None else tensor.detach().float()

    def feed_forward(self, layer: int) -> tuple[Tensor, Tensor] | None:
        """The weights of fc1, without the gate's half in a GLU, and of fc2; None where one is not sound."""
        first, second = self.of_layer(layer, "fc1.linear.weight"), self.of_layer(layer, "fc2.weight")
        first = self.of_layer(layer, "fc1.weight") if first is None else first
        return None if first is None or second is None else (first[: second.shape[1]], second)

    @property
    def num_layers(self) -> int:
        """Layers of the transformer, as the config or, without one, the tensors say."""
        if self.checkpoint.config is not None:
            return self.checkpoint.config.encoder_layers
        return max((layer for role in self.roles.values() for layer in role), default=-1) + 1

    @property
    def num_heads(self) -> int:
        """Heads of each layer, as the tensors say rather than the config."""
        shapes_say = self.checkpoint.shapes_say.get("encoder_attention_heads")
        return int(shapes_say or (self.checkpoint.config.encoder_attention_heads if self.checkpoint.config else 1))

    @cached_property
    def table(self) -> Tensor | None:
        """The table of position biases [buckets, heads] as float32, if there is a sound one."""
        table = self.sound.get(TABLE)
        return None if table is None else table.detach().float()

    @cached_property
    def couplings(self) -> dict[str, dict[int, float]]:
        """Correlations of the lengths that training balances: pair -> layer -> correlation."""
        found: dict[str, dict[int, float]] = {"q_proj and k_proj": {}, "v_proj and out_proj": {}, "fc1 and fc2": {}}
        for layer in range(self.num_layers):
            q, k, v, out = (self.of_layer(layer, f"self_attn.{name}.weight") for name in PROJECTIONS)
            hidden = self.feed_forward(layer)
            if q is not None and k is not None:
                found["q_proj and k_proj"][layer] = correlation(log_norms(q, 1), log_norms(k, 1))
            if v is not None and out is not None:
                found["v_proj and out_proj"][layer] = correlation(log_norms(v, 1), log_norms(out, 0))
            if hidden is not None:
                found["fc1 and fc2"][layer] = correlation(log_norms(hidden[0], 1), log_norms(hidden[1], 0))
        return found

    @cached_property
    def training(self) -> Literal["trained", "fresh", "random"]:
        """What training did to the weights.

        fresh: the layers' norms are exactly 1 and 0, as training never leaves them; random: they are not, but of the
        balance between matrices that any length of training leaves there is no trace.
        """
        untouched = [
            self.statistics[name].is_constant and self.statistics[name].mean == (1 if name.endswith("weight") else 0)
            for name in self.sound
            if (found := LAYER.fullmatch(name)) and found[2].startswith(NORMS)
        ]
        if untouched and sum(untouched) / len(untouched) >= FRESH_SHARE:
            return "fresh"
        typical = [median(layers.values()) for layers in self.couplings.values() if layers]
        widths = [len(tensor) for tensor in self.roles.get("final_layer_norm.weight", {}).values()]
        chance = 2 * median(widths or [1]) ** -0.5  # in a narrow model rows correlate by accident
        return "random" if typical and max(typical) < TRACE_OF_TRAINING + chance else "trained"

    @property
    def is_trained(self) -> bool:
        """Whether statistics of trained models apply."""
        return self.training == "trained"

    @cached_property
    def clip(self) -> Clip | None:
        """What happens to the clip in the model; None where no model can be made."""
        try:
            model = build_model(self.checkpoint)
        except (CheckpointError, MemoryError):
            return None
        return Clip(model, self.audio)

    @property
    def trace(self) -> Trace | None:
        """The clip's way through the model, if there is one."""
        return None if self.clip is None else self.clip.trace

    def lacks(self, check: Check) -> str:
        """Say why a check does not apply; empty where it does."""
        has = {
            "config": lambda: self.checkpoint.config is not None,
            "trained": lambda: self.is_trained,
            "bias": lambda: self.table is not None,
            "gate": lambda: "self_attn.grep_a" in self.roles,
            "model": lambda: self.clip is not None,
            "clip": lambda: self.trace is not None,
        }
        return next((NEEDS[need] for need in check.needs if not has[need]()), "")


def outliers(values: Mapping[int, float], ratio: float, edge_ratio: float) -> Iterator[tuple[int, float]]:
    """Find layers whose value is far from the other layers' median and from both neighbours: (layer, times median).

    ratio: how many times larger or smaller than all three; edge_ratio: for the first and the last layer, which in
    trained models differ most.
    """
    layers = sorted(values)
    for index, layer in enumerate(layers):
        others = [values[other] for other in layers if other != layer]
        neighbours = [values[layers[near]] for near in (index - 1, index + 1) if 0 <= near < len(layers)]
        if len(others) < 2 or min(*others, values[layer]) <= 0:
            continue
        least = edge_ratio if len(neighbours) < 2 else ratio
        references = [median(others), *neighbours]
        if all(values[layer] > least * other for other in references) or all(
            values[layer] * least < other for other in references
        ):
            yield layer, values[layer] / median(others)


def cosines(rows: Tensor) -> Tensor:
    """Cosine between each two rows [rows, rows]; rows of zeros have 0 with all."""
    rows = rows.flatten(1)
    rows = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp(min=1e-20)
    return rows @ rows.T
