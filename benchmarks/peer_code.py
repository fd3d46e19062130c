"""The code of two peers, loaded by path: neither the rest of s3prl nor torchaudio's binaries need be importable."""

import importlib
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from wavlm_explorer import WavLMConfig

WHEELS = Path(__file__).parents[1] / ".cache" / "torchaudio"  # where `make bench` puts torchaudio's wheel


def make_original(fields: dict[str, Any]) -> Any:
    """Microsoft's model, as s3prl ships it, from the fields of its config."""
    package = importlib.util.find_spec("s3prl")
    if package is None or package.submodule_search_locations is None:
        raise FileNotFoundError("s3prl, which ships the Microsoft original, is missing: make bench installs it")
    folder = Path(package.submodule_search_locations[0]) / "upstream" / "wavlm"
    code = _load("benchmarks_original", str(folder), "WavLM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's old weight_norm, which the original uses
        return code.WavLM(code.WavLMConfig(fields))


def make_torchaudio(config: WavLMConfig) -> nn.Module:
    """torchaudio's model, read straight out of its wheel.

    The wheel is never installed: it wants CUDA's libraries, and transformers imports torchaudio where it finds it.
    """
    code = _load("benchmarks_torchaudio", f"{find_wheel()}/torchaudio/models/wav2vec2", "model")
    return code.wavlm_model(
        extractor_mode="group_norm" if config.extractor_mode == "default" else config.extractor_mode,
        extractor_conv_layer_config=[tuple(layer) for layer in config.conv_layers],
        extractor_conv_bias=config.conv_bias,
        encoder_embed_dim=config.encoder_embed_dim,
        encoder_projection_dropout=config.dropout_input,
        encoder_pos_conv_kernel=config.conv_pos,
        encoder_pos_conv_groups=config.conv_pos_groups,
        encoder_num_layers=config.encoder_layers,
        encoder_num_heads=config.encoder_attention_heads,
        encoder_num_buckets=config.num_buckets,
        encoder_max_distance=config.max_distance,
        encoder_attention_dropout=config.attention_dropout,
        encoder_ff_interm_features=config.encoder_ffn_embed_dim,
        encoder_ff_interm_dropout=config.activation_dropout,
        encoder_dropout=config.dropout,
        encoder_layer_norm_first=config.layer_norm_first,
        encoder_layer_drop=config.encoder_layerdrop,
        aux_num_out=None,
    )


def find_wheel() -> Path:
    """Where torchaudio's wheel is.

    Raises: FileNotFoundError.
    """
    wheel = max(WHEELS.glob("torchaudio-*.whl"), default=None)
    if wheel is None:
        raise FileNotFoundError(f"torchaudio's wheel is missing from {WHEELS}: make bench downloads it")
    return wheel


def _load(package: str, folder: str, module: str) -> ModuleType:
    """Import one module of a folder, or of a folder in a wheel, without the folder's own `__init__`."""
    stand_in = sys.modules.setdefault(package, ModuleType(package))
    stand_in.__path__ = [folder]
    return importlib.import_module(f"{package}.{module}")
