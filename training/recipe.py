"""The model that is bundled, and how it is trained: every number in one place."""

from dataclasses import dataclass

from wavlm_explorer.config import WavLMConfig

# Base in small: its front end (one group norm, the waveform as it is) and its norm order. A norm in every convolution,
# as in Large, costs half as much time again; norms before the layers learned no faster. `conv_pos` is 16, not 128: with
# a long positional convolution no head needs to learn where to look.
GEOMETRY = {
    "extractor_mode": "default",
    "normalize": False,
    "conv_feature_layers": "[(64,10,5), (64,3,2), (96,3,2), (128,3,2), (128,3,2), (128,2,2), (128,2,2)]",
    "encoder_layers": 6,
    "encoder_embed_dim": 192,
    "encoder_ffn_embed_dim": 384,
    "encoder_attention_heads": 6,
    "activation_fn": "glu",
    "layer_norm_first": False,
    "conv_pos": 16,
    "conv_pos_groups": 16,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
    "num_buckets": 64,
    "max_distance": 256,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "dropout_input": 0.0,
    "encoder_layerdrop": 0.0,
    "mask_prob": 0.65,
    "mask_length": 10,
}


@dataclass(frozen=True)
class Recipe:
    """`learning_rate` for all weights, `position_rate` times that, without decay, for the bias table and the gates."""

    num_steps: int = 5_400
    clips_per_step: int = 16
    frames_per_clip: int = 150
    learning_rate: float = 1e-3
    position_rate: float = 20.0
    warmup_steps: int = 150
    weight_decay: float = 0.01
    spoilt_share: float = 0.25
    bfloat16: bool = False
    seed: int = 7


def nano_config() -> WavLMConfig:
    """The bundled model's configuration: 2.5 million parameters."""
    return WavLMConfig(**GEOMETRY)
