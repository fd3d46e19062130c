"""What the shapes of tensors say about a config, and what the nearest release says where shapes are silent."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from ..config import BASE, LARGE, WavLMConfig, format_conv_layers

RELEASED_KERNELS = (10, 3, 3, 3, 3, 2, 2)  # samples of the layer below
RELEASED_STRIDES = (5, 2, 2, 2, 2, 2, 2)
TABLE = "self_attn.relative_attention_bias.weight"


def fields_from_shapes(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Infer the fields of a WavLMConfig from tensors under the original's names.

    Where several tensors tell the same field, the majority is believed, so that one wrong tensor misleads nobody.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    fields = _of_layers(shapes) | _of_front_end(shapes) | _of_positions(shapes)
    # A gate without a table gates nothing: the table is lost, not unwanted.
    fields["relative_position_embedding"] |= fields["gru_rel_pos"]
    return {name: value for name, value in fields.items() if value is not None}


def nearest_release(fields: Mapping[str, Any]) -> WavLMConfig:
    """Return the release whose norm order, input normalisation and so on a silent checkpoint most likely shares."""
    if "extractor_mode" in fields:
        return LARGE if fields["extractor_mode"] == "layer_norm" else BASE
    return LARGE if fields.get("encoder_embed_dim") == LARGE.encoder_embed_dim else BASE


Shapes = Mapping[str, tuple[int, ...]]


def _of_layers(shapes: Shapes) -> dict[str, Any]:
    layers = {int(found[1]) for name in shapes if (found := re.match(r"encoder\.layers\.(\d+)\.", name))}
    layer = r"encoder\.layers\.\d+\."
    width = _majority(_lengths(shapes, rf"{layer}(self_attn|final)_layer_norm\.(weight|bias)|encoder\.layer_norm\..*"))
    is_glu = any(re.fullmatch(rf"{layer}fc1\.linear\.weight", name) for name in shapes)
    hidden = _majority(_lengths(shapes, rf"{layer}fc1\.(linear\.)?bias"))
    heads = _majority(shape[1] for name, shape in shapes.items() if name.endswith("grep_a") and len(shape) == 4)
    head_width = _majority(
        shape[1] for name, shape in shapes.items() if name.endswith("grep_linear.weight") and len(shape) == 2
    )
    if heads is None and width and head_width:
        heads = width // head_width
    if heads is None:
        heads = _majority(shape[1] for name, shape in shapes.items() if name.endswith(TABLE) and len(shape) == 2)
    return {
        "encoder_layers": max(layers) + 1 if layers else None,
        "encoder_embed_dim": width,
        "encoder_ffn_embed_dim": hidden // 2 if hidden and is_glu else hidden,
        "encoder_attention_heads": heads,
        "activation_fn": "glu" if is_glu else None,
        "gru_rel_pos": any(re.fullmatch(rf"{layer}self_attn\.grep_.*", name) for name in shapes),
    }


def _of_front_end(shapes: Shapes) -> dict[str, Any]:
    convolutions = {
        int(found[1]): shape
        for name, shape in shapes.items()
        if (found := re.fullmatch(r"feature_extractor\.conv_layers\.(\d+)\.0\.weight", name)) and len(shape) == 3
    }
    if not convolutions or set(convolutions) != set(range(len(convolutions))):
        return {}
    kernels = tuple(convolutions[index][2] for index in range(len(convolutions)))
    strides = RELEASED_STRIDES if kernels == RELEASED_KERNELS else tuple(max(1, kernel // 2) for kernel in kernels)
    layers = [(convolutions[index][0], kernels[index], strides[index]) for index in range(len(kernels))]
    norms = [name for name in shapes if re.fullmatch(r"feature_extractor\.conv_layers\.\d+\.2\.(1\.)?\w+", name)]
    has_layer_norms = sum(".2.1." in name for name in norms) > len(norms) / 2
    return {
        "conv_feature_layers": format_conv_layers(layers),
        "conv_bias": any(re.fullmatch(r"feature_extractor\.conv_layers\.\d+\.0\.bias", name) for name in shapes),
        "extractor_mode": ("layer_norm" if has_layer_norms else "default") if norms else None,
    }


def _of_positions(shapes: Shapes) -> dict[str, Any]:
    kernel = shapes.get("encoder.pos_conv.0.weight_v", ())
    tables = [shape for name, shape in shapes.items() if name.endswith(TABLE) and len(shape) == 2]
    is_kernel = len(kernel) == 3 and min(kernel) > 0
    return {
        "conv_pos": kernel[2] if is_kernel else None,
        "conv_pos_groups": kernel[0] // kernel[1] if is_kernel else None,
        "relative_position_embedding": bool(tables),
        "num_buckets": tables[0][0] if tables else None,
    }


def _lengths(shapes: Shapes, pattern: str) -> Iterable[int]:
    return (shape[0] for name, shape in shapes.items() if len(shape) == 1 and re.fullmatch(pattern, name))


def _majority(values: Iterable[int]) -> int | None:
    votes = Counter(values).most_common(1)
    return votes[0][0] if votes else None
