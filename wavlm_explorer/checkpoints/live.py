"""Models that are alive in a notebook: their weights and what they know about themselves."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ..wavlm import WavLM
from .contents import Contents
from .errors import CheckpointError


def hold(source: nn.Module | Mapping[str, Any]) -> Contents:
    """Take the weights of a live model, or a state dict, as contents of no file.

    A model of the original, of transformers (with any head) or of torchaudio also tells its config.

    Raises: CheckpointError for weights that are not there (on the meta device).
    """
    if isinstance(source, Mapping):
        return Contents("a state dict", "live object", _detached(source))
    name = f"a live {type(source).__name__}"
    state = _detached(source.state_dict())
    config, preprocessor, cfg = None, None, _own_fields(source)
    for module in source.modules():
        described: Any = getattr(module, "config", None)
        if callable(getattr(described, "to_dict", None)) and hasattr(described, "max_bucket_distance"):
            config = described.to_dict()
            break
    return Contents(name, "live object", {"cfg": cfg, "model": state}, config, preprocessor)


def _own_fields(source: nn.Module) -> dict[str, Any]:
    """Return the fields of a config that a model of the original or of torchaudio carries about itself."""
    fields: dict[str, Any] = {}
    if isinstance(source, WavLM):
        return dict(vars(source.config))
    for module in source.modules():
        cfg = getattr(module, "cfg", None)
        if hasattr(cfg, "encoder_embed_dim"):
            return dict(vars(cfg))
        # torchaudio's `Transformer` has a field of that name too, with the opposite meaning.
        if type(module).__name__ == "EncoderLayer" and isinstance(getattr(module, "layer_norm_first", None), bool):
            fields["layer_norm_first"] = module.layer_norm_first
        if type(module).__name__ == "WavLMSelfAttention":
            fields["max_distance"] = module.max_distance
        if type(module).__name__ == "_Wav2Vec2Model":  # torchaudio's bundles wrap a model that normalises its input
            fields["normalize"] = bool(getattr(module, "normalize_waveform", False))
    return fields


def _detached(state: Mapping[str, Any]) -> dict[str, Any]:
    absent = [name for name, value in state.items() if isinstance(value, Tensor) and value.is_meta]
    if absent:
        raise CheckpointError(
            f"The model has no weights yet: {absent[0]} and {len(absent) - 1} more lie on the meta device. "
            "Load them first."
        )
    return {str(name): value.detach().cpu() if isinstance(value, Tensor) else value for name, value in state.items()}
