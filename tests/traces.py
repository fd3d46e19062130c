"""Traces of small models through made-up sounds, and what tests look at in them and in pictures."""

import hashlib
from typing import Any

from models import make_audio, make_model
from oracles import TINY

import wavlm_explorer as wx
from wavlm_explorer import Trace, WavLM, WavLMConfig
from wavlm_explorer.figures import Picture


def make_trace(config: WavLMConfig = TINY, seconds: float = 0.5, start: float = 0.0) -> Trace:
    """Trace noise that swells and fades with a small random model of that config."""
    return wx.trace(make_model(config), make_audio(seconds, start))


def digest(model: WavLM) -> str:
    """A fingerprint of all weights."""
    total = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        total.update(name.encode())
        total.update(tensor.contiguous().numpy())
    return total.hexdigest()


def panels(picture: Picture) -> list[Any]:
    """The axes of a picture, in the order in which they were added."""
    return list(picture.axes)
