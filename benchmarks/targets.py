"""What was aimed at, and whether the numbers reach it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from . import tables
from .contestants import ATTENTION, OURS, STATES, entry_name
from .long_clips import LIMIT_BYTES
from .passes import ONE_MORE_LAYER
from .ratios import ratio, roofline_share, to_best_peer
from .results import MEMORY, PASSES, Results

STATES_RATIO = {"10": 1.0, "60": 0.9}  # seconds of sound -> ours over the fastest peer
ATTENTION_RATIO = 1.0
ONE_MORE_LAYER_SHARE = 0.08  # of a pass
MEMORY_RATIO = 0.5
ROOFLINE_SHARE = 0.7
LONGEST = "600"  # s of sound
LONGEST_MINUTES = 15


class Target(NamedTuple):
    """One line of the table; `met` is None for what was not measured."""

    what: str
    wanted: str
    found: str
    met: bool | None


def judge(results: Results) -> list[Target]:
    """Hold the numbers of Base on the CPU against every target."""
    times = results.medians("Base")
    ten = times.get("10", {})
    ours = entry_name(OURS, STATES)
    memory = results.numbers(MEMORY["cpu"]).get("Base", {})
    peaks = {name: by_length.get("60") for name, by_length in memory.items()}
    share = roofline_share(ten, ours, "Base", 10)
    return [
        *(
            _at_most(f"hidden states, {seconds} s, to the fastest peer's", to_best_peer(times.get(seconds, {})), most)
            for seconds, most in STATES_RATIO.items()
        ),
        _at_most(
            "hidden states and one layer's true maps, 10 s, against transformers with its averages",
            to_best_peer(ten, ATTENTION),
            ATTENTION_RATIO,
        ),
        _at_most(
            "the maps of one more layer, 10 s, of a pass", ratio(ten.get(ONE_MORE_LAYER), ten.get(ours)),
            ONE_MORE_LAYER_SHARE, percent=True,
        ),
        _at_most("peak memory above the model, 60 s, against the leanest peer", to_best_peer(peaks), MEMORY_RATIO),
        _longest(results.numbers("long")),
        Target(
            "share of the roofline, 10 s", f"at least {tables.percent(ROOFLINE_SHARE)}", _found(share, tables.percent),
            None if share is None else share >= ROOFLINE_SHARE,
        ),
        _second_look(results.numbers(PASSES["cpu"]).get("Base", {})),
    ]  # fmt: skip


def _at_most(what: str, value: float | None, most: float, percent: bool = False) -> Target:
    write = tables.percent if percent else tables.times
    return Target(what, f"at most {write(most)}", _found(value, write), None if value is None else value <= most)


def _found(value: float | None, write: Callable[[float], str]) -> str:
    return "not measured" if value is None else write(value)


def _second_look(numbers: dict[str, Any]) -> Target:
    passes = numbers.get("passes of a second look")
    found = _found(passes, "{} passes".format)
    return Target("a second look at a traced clip", "no pass", found, None if passes is None else passes == 0)


def _longest(numbers: dict[str, Any]) -> Target:
    """Ten minutes: ours within memory and time, and no peer with attention."""
    what = f"{LONGEST} s: all hidden states, exact measures of a layer, sampled ones of all; no peer has attention"
    wanted = f"under {LIMIT_BYTES / 1e9:.0f} GB and {LONGEST_MINUTES} minutes"
    if LONGEST not in numbers:
        return Target(what, wanted, "not measured", None)
    stages = numbers[LONGEST]["ours"]
    minutes, peak = sum(stage["seconds"] for stage in stages) / 60, max(stage["peak"] for stage in stages)
    others = numbers[LONGEST]["peers"][entry_name("transformers", ATTENTION)]
    found = f"{peak / 1e9:.1f} GB, {minutes:.1f} minutes; transformers {'died of memory' if others is None else 'did'}"
    return Target(what, wanted, found, peak < LIMIT_BYTES and minutes < LONGEST_MINUTES and others is None)
