"""The tables that hold everybody's time and memory against the best peer's."""

from typing import Any

from . import tables
from .contestants import ENTRIES, OURS, STATES, entry_name
from .passes import ANOTHER_HEAD, ONE_MORE_LAYER
from .ratios import best_peer, ratio, roofline_share
from .results import Medians
from .roofline import LIBRARIES, PRODUCT_OPERATIONS, SIDE
from .tables import table

Row = tuple[str, ...]


def time_table(medians: dict[str, Medians], geometry: str) -> str:
    """Rows: who does what; columns: seconds of sound."""
    lengths = list(medians)
    ours = entry_name(OURS, STATES)
    rows: list[Row] = [
        (entry_name(*entry), *(_against_peers(medians[length], *entry, tables.seconds) for length in lengths))
        for entry in ENTRIES
    ]
    rows += [
        (f"finished trace: {look}", *(_look(medians[length], look, ours) for length in lengths))
        for look in (ONE_MORE_LAYER, ANOTHER_HEAD)
    ]
    for name, work in ENTRIES:
        if work == STATES:
            entry = entry_name(name, work)
            shares = (roofline_share(medians[length], entry, geometry, float(length)) for length in lengths)
            rows.append((f"share of the roofline: {name}", *map(tables.percent, shares)))
    return table(("", *(f"{length} s" for length in lengths)), rows)


def memory_table(peaks: dict[str, dict[str, int | None]]) -> str:
    """Rows: who does what; columns: seconds of sound."""
    lengths = list(next(iter(peaks.values())))
    by_length = {length: {entry: found[length] for entry, found in peaks.items()} for length in lengths}
    rows = [
        (entry_name(*entry), *(_against_peers(by_length[length], *entry, tables.megabytes) for length in lengths))
        for entry in ENTRIES
    ]
    return table(("", *(f"{length} s" for length in lengths)), rows)


def describe_rates(medians: dict[str, Medians]) -> str:
    """What the roofline is, and how fast each library was beside each length."""
    found = []
    for library in LIBRARIES:
        rates = [PRODUCT_OPERATIONS / taken / 1e9 for tasks in medians.values() if (taken := tasks.get(library))]
        if rates:
            found.append(f"{library} {' / '.join(f'{rate:.0f}' for rate in rates)}")
    return (
        "The roofline is the number of operations that the geometry asks for, over the rate of the faster library at "
        f"products of {SIDE} x {SIDE} float32 numbers, timed in turns with the passes. GFLOP/s, length by length: "
        f"{'; '.join(found)}.\n"
    )


def _against_peers(values: Any, name: str, work: str, write: Any) -> str:
    """A value, and in brackets what it is of the best peer's."""
    value = values.get(entry_name(name, work))
    if value is None:
        return tables.DIED
    return f"{write(value)} ({tables.times(ratio(value, best_peer(values, work)))})"


def _look(times: Medians, look: str, ours: str) -> str:
    taken = times.get(look)
    return tables.DIED if taken is None else f"{tables.seconds(taken)} ({tables.percent(ratio(taken, times[ours]))})"
