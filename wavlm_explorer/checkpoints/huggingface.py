"""The config of Hugging Face's port, to and from the original's."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..config import ConvLayer, WavLMConfig, format_conv_layers

# Original, Hugging Face, the value when config.json is silent. Source: transformers 5.23, `WavLMConfig`.
FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("encoder_layers", "num_hidden_layers", 12),
    ("encoder_embed_dim", "hidden_size", 768),
    ("encoder_ffn_embed_dim", "intermediate_size", 3072),
    ("encoder_attention_heads", "num_attention_heads", 12),
    ("layer_norm_first", "do_stable_layer_norm", False),
    ("conv_bias", "conv_bias", False),
    ("conv_pos", "num_conv_pos_embeddings", 128),
    ("conv_pos_groups", "num_conv_pos_embedding_groups", 16),
    ("num_buckets", "num_buckets", 320),
    ("max_distance", "max_bucket_distance", 800),
    ("dropout", "hidden_dropout", 0.1),
    ("attention_dropout", "attention_dropout", 0.1),
    ("activation_dropout", "activation_dropout", 0.1),
    ("encoder_layerdrop", "layerdrop", 0.1),
    ("dropout_input", "feat_proj_dropout", 0.0),
    ("mask_prob", "mask_time_prob", 0.05),
    ("mask_length", "mask_time_length", 10),
    ("mask_channel_prob", "mask_feature_prob", 0.0),
    ("mask_channel_length", "mask_feature_length", 10),
)
EXTRACTOR_MODES = {"group": "default", "layer": "layer_norm"}
ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "gelu_new": "gelu_accurate", "gelu_pytorch_tanh": "gelu_accurate"}
CONVOLUTIONS = {
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
}


def config_from_huggingface(
    config: Mapping[str, Any], preprocessor: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """Translate config.json and preprocessor_config.json into the original's fields.

    Returns the fields that the two files tell, and what of them has no equal in the original, in words.
    """
    problems = []
    if config.get("model_type", "wavlm") != "wavlm":
        problems.append(f"config.json: expected model_type 'wavlm'; found {config['model_type']!r}")
    fields = {ours: config.get(theirs, default) for ours, theirs, default in FIELDS}
    fields = {
        name: float(value) if type(getattr(WavLMConfig, name)) is float and type(value) is int else value
        for name, value in fields.items()
    }
    fields |= {"relative_position_embedding": True, "gru_rel_pos": True}  # the port knows no other WavLM
    for ours, theirs, known in (
        ("extractor_mode", "feat_extract_norm", EXTRACTOR_MODES),
        ("activation_fn", "hidden_act", ACTIVATIONS),
    ):
        value = config.get(theirs, next(iter(known)))
        if isinstance(value, str) and value in known:
            fields[ours] = known[value]
        else:
            problems.append(f"config.json: {theirs}: expected one of {', '.join(known)}; found {value!r}")
    if config.get("feat_extract_activation", "gelu") != "gelu":
        problems.append(
            f"config.json: feat_extract_activation: expected 'gelu'; found {config['feat_extract_activation']!r}"
        )
    sizes = [config.get(name, default) for name, default in CONVOLUTIONS.items()]
    if all(isinstance(size, list | tuple) for size in sizes) and len({len(size) for size in sizes}) == 1:
        fields["conv_feature_layers"] = format_conv_layers(zip(*sizes, strict=True))
    else:
        problems.append(f"config.json: expected {', '.join(CONVOLUTIONS)} to be lists of one length; found {sizes}")
    if preprocessor is not None and isinstance(preprocessor.get("do_normalize"), bool):
        fields["normalize"] = preprocessor["do_normalize"]
    return fields, problems


def config_to_huggingface(config: WavLMConfig) -> dict[str, Any]:
    """Write a config as Hugging Face's config.json for the encoder without a head.

    Raises: ValueError for a WavLM that the port cannot express, naming the fields.
    """
    modes, activations = (
        {ours: theirs for theirs, ours in reversed(known.items())} for known in (EXTRACTOR_MODES, ACTIVATIONS)
    )
    missing = [
        f"{name}={getattr(config, name)!r}"
        for name in ("relative_position_embedding", "gru_rel_pos")
        if not getattr(config, name)
    ]
    if config.activation_fn not in activations:
        missing.append(f"activation_fn={config.activation_fn!r}")
    if missing:
        raise ValueError(
            f"Hugging Face's WavLM has no equal of {', '.join(missing)}; save in the original's layout instead (.pt)."
        )
    fields = dataclasses.asdict(config)
    layers: list[ConvLayer] = config.conv_layers
    return {
        "architectures": ["WavLMModel"],
        "model_type": "wavlm",
        **{theirs: fields[ours] for ours, theirs, _ in FIELDS},
        "feat_extract_norm": modes[config.extractor_mode],
        "hidden_act": activations[config.activation_fn],
        "feat_extract_activation": "gelu",
        "conv_dim": [layer.channels for layer in layers],
        "conv_kernel": [layer.kernel for layer in layers],
        "conv_stride": [layer.stride for layer in layers],
        "num_feat_extract_layers": len(layers),
        "apply_spec_augment": config.mask_prob > 0 or config.mask_channel_prob > 0,
        "torch_dtype": "float32",
    }


def preprocessor_for(config: WavLMConfig) -> dict[str, Any]:
    """Write the preprocessor_config.json that goes with a config."""
    return {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": 16_000,
        "padding_side": "right",
        "padding_value": 0.0,
        "do_normalize": config.normalize,
        "return_attention_mask": config.extractor_mode == "layer_norm",
    }
