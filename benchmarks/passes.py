"""Times of all contestants, of looks at a finished trace, and of matrix products, in turns within one run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wavlm_explorer import Trace
from wavlm_explorer.devices import exact_convolutions

from .contestants import CONTESTANTS, ENTRIES, OURS, Contestant, Explorer, entry_name, largest_disagreement
from .roofline import products
from .timing import make_clip, time_in_turns

ONE_MORE_LAYER = "maps of one more layer"
ANOTHER_HEAD = "another head of another layer"
CHECKED_SECONDS = 3.0  # of the clip on which all must agree
AGREEMENT = 1e-4  # relative; float32 through 24 layers


@exact_convolutions()
def measure_passes(folder: Path, lengths: dict[float, int], device: str) -> dict[str, Any]:
    """Times of one geometry, {"agreement": ..., "passes of a second look": ..., "times": {seconds: {task: times}}}.

    lengths: seconds of sound -> rounds.

    Raises: ValueError where the contestants disagree.
    """
    contestants: dict[str, Any] = {name: kind(folder, device) for name, kind in CONTESTANTS.items()}
    agreement = largest_disagreement(contestants, make_clip(CHECKED_SECONDS))
    if max(agreement.values()) > AGREEMENT:
        raise ValueError(f"the contestants do not compute the same hidden states: {agreement}")
    times = {}
    for seconds, rounds in lengths.items():
        tasks = _tasks(contestants, make_clip(seconds), device)
        times[f"{seconds:g}"] = time_in_turns(tasks, rounds, device)
    looks = count_passes(contestants[OURS], make_clip(CHECKED_SECONDS))
    return {"agreement": agreement, "passes of a second look": looks, "times": times}


def _tasks(contestants: dict[str, Contestant], samples: np.ndarray, device: str) -> dict[str, Callable[[], object]]:
    def entry(name: str, work: str) -> Callable[[], object]:
        return lambda: contestants[name].run(samples, work)

    explorer: Any = contestants[OURS]
    looks = second_looks(explorer.trace(samples))
    return {
        **{entry_name(name, work): entry(name, work) for name, work in ENTRIES},
        **{name: looks[name] for name in (ONE_MORE_LAYER, ANOTHER_HEAD)},
        **products(device),
    }


def second_looks(trace: Trace) -> dict[str, Callable[[], object]]:
    """What a visitor asks of a finished trace; each time of the next layer, so that nothing can be remembered."""

    def next_layers() -> Iterator[int]:
        while True:
            yield from range(trace.num_layers)

    layers, layers_of_one_head = next_layers(), next_layers()
    return {
        ONE_MORE_LAYER: lambda: trace.attention(next(layers)),
        ANOTHER_HEAD: lambda: trace.attention(next(layers_of_one_head), trace.num_heads - 1),
    }


def count_passes(explorer: Explorer, samples: np.ndarray) -> int:
    """How often the model runs again when a trace is looked at in another layer and another head."""
    trace, passes = explorer.trace(samples), []
    hook = explorer.model.feature_extractor.register_forward_hook(lambda *_: passes.append(1))
    try:
        for look in second_looks(trace).values():
            look()
    finally:
        hook.remove()
    return len(passes)
