"""The bundled samples through the model of another trace: clips whose states can be put into it."""

from .keeping import Keeper
from .samples import load_sample
from .tracing import Trace, trace

_traces: Keeper[Trace] = Keeper()


def trace_sample(beside: Trace, name: str) -> Trace:
    """Let a sample pass through the model of a trace, normalised as that was; kept as long as that trace is there.

    Raises: ValueError for a name that is no sample's, and for a model that came with a trace, without what hears.
    """
    return _traces.recall(beside, lambda: trace(beside.model, load_sample(name), beside.normalized), name=name)
