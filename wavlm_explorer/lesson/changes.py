"""The clip's pass under one intervention: a chapter's judge and its pictures look at the same."""

from weakref import WeakKeyDictionary

from ..interventions import Intervention
from ..tracing import Trace

_latest: WeakKeyDictionary[Trace, Trace] = WeakKeyDictionary()


def changed(trace: Trace, intervention: Intervention) -> Trace:
    """Let the clip pass under an intervention; each trace's latest such pass is kept as long as the trace itself.

    Raises: as `Trace.what_if`.
    """
    after = _latest.get(trace)
    if after is None or after.interventions[-1] != intervention:
        after = _latest[trace] = trace.what_if([intervention])
    return after
