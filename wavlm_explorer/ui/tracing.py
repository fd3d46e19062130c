"""The trace of a sound, made once for a session."""

from ..audio import Audio
from ..tracing import Trace, trace
from ..wavlm import WavLM
from .markdown import literal
from .memory import remember
from .progress import run_with_progress


def trace_once(model: WavLM, audio: Audio) -> Trace:
    """Trace a sound once per model: another head, layer or page finds the trace in the session's memory."""
    key = (model.source.digest, str(model.device), audio.digest)

    def make() -> Trace:
        what = f"Tracing {literal(audio.name)}"
        return run_with_progress(key, what, lambda report: trace(model, audio, progress=report))

    return remember("traces", key, make, size=lambda trace: trace.hidden_states.nbytes)
