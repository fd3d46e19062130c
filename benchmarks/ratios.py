"""The comparisons that are told: against the fastest and leanest peer, and against the machine."""

from collections.abc import Mapping

from wavlm_explorer.operations import count_operations

from .contestants import CONTESTANTS, ENTRIES, OURS, STATES, entry_name
from .roofline import LIBRARIES, PRODUCT_OPERATIONS
from .weights import GEOMETRIES

PEERS = [name for name in CONTESTANTS if name != OURS]


def best_peer(values: Mapping[str, float | None], work: str = STATES) -> float | None:
    """The least of the peers' values at a piece of work; None if there is none."""
    names = (entry_name(name, work) for name in PEERS if (name, work) in ENTRIES)
    return min((value for name in names if (value := values.get(name)) is not None), default=None)


def to_best_peer(values: Mapping[str, float | None], work: str = STATES) -> float | None:
    """Ours over the best peer's."""
    return ratio(values.get(entry_name(OURS, work)), best_peer(values, work))


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """ours / theirs, None where one is missing."""
    return None if ours is None or not theirs else ours / theirs


def best_rate(times: Mapping[str, float | None]) -> float | None:
    """Operations per second of the fastest library's matrix product."""
    taken = [value for library in LIBRARIES if (value := times.get(library)) is not None]
    return PRODUCT_OPERATIONS / min(taken) if taken else None


def roofline_share(times: Mapping[str, float | None], task: str, geometry: str, seconds: float) -> float | None:
    """How much of the machine's rate a pass reaches, 0 to 1."""
    taken, rate = times.get(task), best_rate(times)
    if taken is None or rate is None:
        return None
    return count_operations(GEOMETRIES[geometry], int(16_000 * seconds)).total / rate / taken
