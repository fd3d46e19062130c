"""WavLM Explorer: see what a WavLM attends to, per head, taken apart, and in seconds.

import wavlm_explorer as wx

model = wx.load_model("nano")
audio = wx.load_audio("speech.m4a", start=2.0, duration=10.0)
trace = wx.trace(model, audio)
wx.figures.attention_map(trace, layer=3, head=2)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import figures, interventions
    from .audio import Audio, AudioError, load_audio
    from .checkpoints import CheckpointError, load_model, save_model
    from .comparison import diff
    from .config import BASE, BASE_PLUS, LARGE, WavLMConfig
    from .diagnosis import doctor
    from .label_attention import LabelAttention, pool_attention
    from .labels import Interval, LabelError, LabelTrack, load_labels
    from .notation import format_intervention, parse_intervention
    from .report import make_report
    from .trace_files import TraceError, load_trace
    from .tracing import AttentionTerms, Trace, trace
    from .wavlm import WavLM

__all__ = [
    "BASE",
    "BASE_PLUS",
    "LARGE",
    "AttentionTerms",
    "Audio",
    "AudioError",
    "CheckpointError",
    "Interval",
    "LabelAttention",
    "LabelError",
    "LabelTrack",
    "Trace",
    "TraceError",
    "WavLM",
    "WavLMConfig",
    "diff",
    "doctor",
    "figures",
    "format_intervention",
    "interventions",
    "load_audio",
    "load_labels",
    "load_model",
    "load_trace",
    "make_report",
    "parse_intervention",
    "pool_attention",
    "save_model",
    "trace",
]

_HOMES = {
    **dict.fromkeys(("Audio", "AudioError", "load_audio"), "audio"),
    **dict.fromkeys(("CheckpointError", "load_model", "save_model"), "checkpoints"),
    **dict.fromkeys(("BASE", "BASE_PLUS", "LARGE", "WavLMConfig"), "config"),
    **dict.fromkeys(("Interval", "LabelError", "LabelTrack", "load_labels"), "labels"),
    **dict.fromkeys(("LabelAttention", "pool_attention"), "label_attention"),
    **dict.fromkeys(("AttentionTerms", "Trace", "trace"), "tracing"),
    **dict.fromkeys(("TraceError", "load_trace"), "trace_files"),
    "WavLM": "wavlm",
    **dict.fromkeys(("format_intervention", "parse_intervention"), "notation"),
    "diff": "comparison",
    "doctor": "diagnosis",
    "make_report": "report",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the command line answers --help before PyTorch is there."""
    if name in ("figures", "interventions"):
        return importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
