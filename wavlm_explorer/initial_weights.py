"""What one layer's weights were before training: drawn by its modules, then drawn again by init_bert_params."""

import math
from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .config import WavLMConfig
from .encoder import TransformerSentenceEncoderLayer
from .keeping import Keeper
from .layer_attention import to_cpu
from .modules import GLU_Linear, init_bert_params
from .modules.initialization import INITIAL_STD
from .wavlm import WavLM

ATTENTION_WEIGHTS = ("q_proj", "k_proj", "v_proj", "out_proj")  # MultiheadAttention draws these itself, and its table
FEED_FORWARD_WEIGHTS = ("fc1", "fc2")
GATE_WEIGHT = "grep_linear"
TABLE = "relative_attention_bias"  # one for all layers, in layer 0


class Draw(NamedTuple):
    """A distribution around 0 that numbers are drawn from."""

    kind: Literal["uniform", "normal"]
    std: float

    @property
    def reach(self) -> float:
        """Where a uniform distribution ends."""
        return math.sqrt(3) * self.std


class InitialWeights(NamedTuple):
    """One weight as it is when its module has been made, and as the encoder leaves it; and what both are drawn from."""

    own: Float[Tensor, "..."]
    own_draw: Draw
    redrawn: Float[Tensor, "..."]  # what training starts from
    redraw: Draw = Draw("normal", INITIAL_STD)


def weight_names(config: WavLMConfig) -> tuple[str, ...]:
    """The weights of a layer that a model of that config draws twice."""
    has_bias = config.relative_position_embedding
    rest = (GATE_WEIGHT,) * config.gru_rel_pos + (TABLE,) * has_bias
    return ATTENTION_WEIGHTS + FEED_FORWARD_WEIGHTS + rest


def own_draw(config: WavLMConfig, name: str) -> Draw:
    """What a weight's own module draws it from: Xavier's rule in attention, PyTorch's default elsewhere.

    Xavier: uniform up to gain · sqrt(6 / (inputs + outputs)), with gain 1 / sqrt(2) for q, k and v; the table normal
    with variance 2 / (buckets + heads). PyTorch: uniform up to 1 / sqrt(inputs).
    """
    width, heads = config.encoder_embed_dim, config.encoder_attention_heads
    if name == TABLE:
        return Draw("normal", math.sqrt(2 / (config.num_buckets + heads)))
    if name in ATTENTION_WEIGHTS:
        return Draw("uniform", math.sqrt(2 / (2 * width)) / (1 if name == "out_proj" else math.sqrt(2)))
    inputs = {"fc1": width, "fc2": config.encoder_ffn_embed_dim, GATE_WEIGHT: width // heads}[name]
    return Draw("uniform", 1 / math.sqrt(3 * inputs))


@torch.no_grad()
def initial_weights(config: WavLMConfig, name: str, seed: int = 0) -> InitialWeights:
    """Make a layer's weight as the model's constructor makes it, by the very functions; a seed is a draw.

    No draw is taken from the global generator, which belongs to others.

    Raises: ValueError for a name that is not in `weight_names(config)`.
    """
    _check_name(config, name)
    with torch.device("meta"):
        layer = TransformerSentenceEncoderLayer(config, config.relative_position_embedding)
    generator = torch.Generator().manual_seed(seed)
    module = getattr(layer, name) if name in FEED_FORWARD_WEIGHTS else layer.self_attn
    module.to_empty(device="cpu")
    weight = _find(layer, name)
    if name in (*FEED_FORWARD_WEIGHTS, GATE_WEIGHT):
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)  # as nn.Linear.reset_parameters
    else:
        layer.self_attn.reset_parameters(generator)
    own = weight.clone()
    module.apply(partial(init_bert_params, generator=generator))
    return InitialWeights(own, own_draw(config, name), weight.detach())


def learned_weight(model: WavLM, layer: int, name: str) -> Float[Tensor, "..."]:
    """The weight as the model has it; the table is layer 0's whatever the layer.

    Raises: ValueError for a name that is not in `weight_names`; IndexError for a layer that is not there.
    """
    _check_name(model.config, name)
    return to_cpu(_find(model.encoder.block(0 if name == TABLE else layer), name).detach())


def learned_spreads(model: WavLM) -> dict[str, Float[Tensor, " layers"]]:
    """The standard deviation of every weight in every layer, by name; of the table, that of layer 0. They are kept."""
    return _spreads.recall(model, lambda: _measure_spreads(model))


_spreads: Keeper[dict[str, Tensor]] = Keeper()


def _measure_spreads(model: WavLM) -> dict[str, Tensor]:
    layers = range(model.config.encoder_layers)
    return {
        name: torch.stack([learned_weight(model, layer, name).std() for layer in ([0] if name == TABLE else layers)])
        for name in weight_names(model.config)
    }


def _check_name(config: WavLMConfig, name: str) -> None:
    if name not in weight_names(config):
        raise ValueError(f"name: expected one of {', '.join(weight_names(config))}; found {name!r}")


def _find(layer: TransformerSentenceEncoderLayer, name: str) -> Tensor:
    module = getattr(layer if name in FEED_FORWARD_WEIGHTS else layer.self_attn, name)
    return module.linear.weight if isinstance(module, GLU_Linear) else module.weight
