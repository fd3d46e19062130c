"""Tensors that lie beside an encoder in checkpoints, and why a WavLM does without them."""

import re
from typing import NamedTuple


class Beside(NamedTuple):
    """A family of tensors that are left out knowingly."""

    pattern: re.Pattern[str]
    reason: str
    head: str = ""  # the task, where it tells one


def _beside(pattern: str, reason: str, head: str = "") -> Beside:
    return Beside(re.compile(rf"(?:(?:module|model|_orig_mod)\.)*(?:{pattern})"), reason, head)


FAMILIES = (
    _beside(r"final_proj\..*|label_embs_concat|target_glu\..*", "head of pre-training", "pre-training"),
    _beside(r"quantizer\..*|project_q\..*|project_hid\..*", "quantiser of pre-training", "pre-training"),
    _beside(r"lm_head\..*", "output layer of speech recognition", "CTC"),
    _beside(r"w2v_encoder\.proj\..*|proj\.(?:weight|bias)", "output layer of speech recognition", "CTC"),
    _beside(r"tdnn\..*|objective\.weight", "x-vector head", "speaker verification (x-vector)"),
    _beside(r"feature_extractor\.(?:weight|bias)", "the x-vector's linear layer", "speaker verification (x-vector)"),
    _beside(r"feature_weight|pooling\..*|linear\.(?:weight|bias)|layer\d+\..*", "speaker head", "speaker verification"),
    _beside(r"layer_weights", "weights of the sum over layers"),
    _beside(r"projector\..*|classifier\..*", "classifier", "classification"),
    _beside(r"adapter\..*", "adapter on top of the encoder"),
)


def why_beside(name: str) -> Beside | None:
    """Return the family of heads that a tensor belongs to, None for a stranger."""
    return next((family for family in FAMILIES if family.pattern.fullmatch(name)), None)
