"""WavLM Explorer: see what a WavLM attends to, per head, taken apart, and in seconds.

import wavlm_explorer as wx

model = wx.load_model("nano")
audio = wx.load_audio("speech.m4a", start=2.0, duration=10.0)
trace = wx.trace(model, audio)
wx.figures.attention_map(trace, layer=3, head=2)
"""

from typing import TYPE_CHECKING, Any

from .audio import Audio, AudioError, load_audio
from .checkpoints import CheckpointError, load_model
from .config import BASE, BASE_PLUS, LARGE, WavLMConfig
from .tracing import AttentionTerms, Trace, trace
from .wavlm import WavLM

if TYPE_CHECKING:
    from . import figures

__all__ = [
    "BASE",
    "BASE_PLUS",
    "LARGE",
    "AttentionTerms",
    "Audio",
    "AudioError",
    "CheckpointError",
    "Trace",
    "WavLM",
    "WavLMConfig",
    "figures",
    "load_audio",
    "load_model",
    "trace",
]


def __getattr__(name: str) -> Any:
    """Import `figures`, and matplotlib with it, when somebody draws."""
    if name == "figures":
        import importlib

        return importlib.import_module(".figures", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
