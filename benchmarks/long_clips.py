"""Clips as long as people have: five and ten minutes, in processes of their own.

`python -m benchmarks.long_clips FOLDER SECONDS` prints a line of JSON for each stage: its name, its seconds, and the
most memory that the process has had so far, in bytes, the model included.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .contestants import ENTRIES, OURS, Explorer, entry_name
from .memory import ROOT, Peak, measure_memory
from .timing import limited_address_space, make_clip, time_once

LIMIT_BYTES = 6_000_000_000
LAYER = 6  # whose measures are exact
Stage = dict[str, Any]  # "stage", "seconds", "peak"


def measure_long_clips(folder: Path, lengths: list[float]) -> dict[str, Any]:
    """Seconds of sound -> {"ours": stages, "peers": {entry: peak bytes above the model, None if it died of memory}}."""
    return {
        f"{seconds:g}": {
            "ours": run_stages(folder, seconds),
            "peers": {
                entry_name(name, work): measure_memory(folder, name, work, [seconds], "cpu")[f"{seconds:g}"]
                for name, work in ENTRIES
                if name != OURS
            },
        }
        for seconds in lengths
    }


def run_stages(folder: Path, seconds: float) -> list[Stage]:
    """Everything that is asked of a long clip, in a process of its own.

    Raises: RuntimeError, with what it wrote, if the process failed.
    """
    command = [sys.executable, "-m", __name__, str(folder), f"{seconds:g}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{seconds:g} s of sound: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def main(folder: str, seconds: str) -> None:
    """Trace, measure one layer exactly and the others by samples of their rows."""
    explorer, samples = Explorer(Path(folder), "cpu"), make_clip(float(seconds))
    traces: list[Any] = []
    stages: dict[str, Callable[[], object]] = {
        "hidden states of all layers": lambda: traces.append(explorer.trace(samples)),
        "exact measures of one layer": lambda: traces[0].measures([LAYER]),
        "sampled measures of all layers, with errors": lambda: traces[0].sampled_measures(),
    }
    peak = Peak("cpu")
    with limited_address_space(LIMIT_BYTES):
        for name, task in stages.items():
            taken = time_once(task)
            print(json.dumps({"stage": name, "seconds": taken, "peak": peak.now()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
