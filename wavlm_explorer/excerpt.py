"""A WavLM without what hears: the transformer's layers, which explore what a trace remembers, and nothing else."""

from typing import Any, NoReturn

from torch import nn

from .config import WavLMConfig
from .wavlm import WavLM, make_empty

HEARING = ("feature_extractor", "layer_norm", "post_extract_proj", "encoder.pos_conv")  # all before layer 0
WITHOUT_HEARING = (
    "Expected a whole WavLM; this one came with a trace, without the convolutions that hear. It explores that trace's "
    "sound and no other. Load the checkpoint itself with load_model."
)


class LeftOut(nn.Module):
    """Stands where a part of a model was left out: whoever runs it, or wants its weights, is told."""

    def forward(self, *_: Any) -> NoReturn:
        raise ValueError(WITHOUT_HEARING)

    def _save_to_state_dict(self, destination: Any, prefix: Any, keep_vars: Any) -> NoReturn:
        self.forward()


def make_excerpt(config: WavLMConfig) -> WavLM:
    """Make the model of a loaded trace, in eval mode and without memory: each of its weights is still to be filled in.

    Running it on a sound, saving it, or copying its state dict is a ValueError that says what to do.

    Raises: ValueError for a config that describes no model.
    """
    model = make_empty(config)
    for name in HEARING:
        model.set_submodule(name, LeftOut())
    return model.eval()


def is_kept(name: str) -> bool:
    """Whether a weight of that name is part of an excerpt."""
    return not name.startswith(tuple(f"{part}." for part in HEARING))


def can_hear(model: WavLM) -> bool:
    """Whether a model has the convolutions that an excerpt leaves out."""
    return not isinstance(model.feature_extractor, LeftOut)
