"""Measure, keep the numbers, and write the page: `python -m benchmarks`, or `make bench`."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch

from .contestants import ENTRIES, entry_name
from .long_clips import measure_long_clips
from .machine import describe_machine
from .memory import measure_memory
from .page import PICTURE, write_page
from .passes import measure_passes
from .picture import draw
from .results import MEMORY, PASSES, Results
from .start import measure_start
from .timing import limited_address_space
from .weights import CACHE, GEOMETRIES, prepare

DOCS = Path(__file__).parents[1] / "docs"
PAGE = "performance.md"
ROUNDS = {  # device -> geometry -> seconds of sound -> rounds
    "cpu": {"Base": {3.0: 7, 10.0: 7, 30.0: 3, 60.0: 3}, "Large": {3.0: 3, 10.0: 3, 30.0: 1, 60.0: 1}},
    "cuda": {"Base": {3.0: 15, 10.0: 15, 60.0: 7, 300.0: 3}, "Large": {3.0: 15, 10.0: 15, 60.0: 7}},
}
MEMORY_LENGTHS = {
    "cpu": {"Base": [3.0, 10.0, 30.0, 60.0], "Large": [3.0, 10.0]},
    "cuda": {"Base": [3.0, 10.0, 60.0, 300.0]},
}
QUICK_ROUNDS = {"Base": {1.0: 3, 3.0: 3}}
QUICK_MEMORY_LENGTHS = {"Base": [1.0, 3.0]}


def main() -> None:
    """Measure the parts asked for, and renew the page with them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=SHORT, help="what to measure (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="only Base and seconds of sound, to try it")
    parser.add_argument("--output", type=Path, default=DOCS, help="where the page goes (default: %(default)s)")
    options = parser.parse_args()
    results = Results(options.output)
    for part in options.parts:
        print(f"{part} ...", flush=True)
        machine = describe_machine()
        results.keep(part, machine, PARTS[part](options.quick))
        draw(results, options.output / PICTURE)
        (options.output / PAGE).write_text(write_page(results))
        print(f"{options.output / PAGE}: {part} renewed", flush=True)


def _passes(quick: bool, device: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for geometry, rounds in (QUICK_ROUNDS if quick else ROUNDS[device]).items():
        folder = prepare(GEOMETRIES[geometry], CACHE / geometry)
        with limited_address_space(psutil.virtual_memory().available, device):
            numbers[geometry] = measure_passes(folder, rounds, device)
    if device != "cpu":
        torch.cuda.empty_cache()  # what comes next has processes of its own, and wants the GPU's memory
    return numbers


def _memory(quick: bool, device: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for geometry, lengths in (QUICK_MEMORY_LENGTHS if quick else MEMORY_LENGTHS[device]).items():
        folder = prepare(GEOMETRIES[geometry], CACHE / geometry)
        numbers[geometry] = {entry_name(*entry): measure_memory(folder, *entry, lengths, device) for entry in ENTRIES}
    return numbers


def _long(quick: bool) -> dict[str, Any]:
    return measure_long_clips(prepare(GEOMETRIES["Base"], CACHE / "Base"), [60.0] if quick else [300.0, 600.0])


PARTS: dict[str, Callable[[bool], Any]] = {
    PASSES["cpu"]: partial(_passes, device="cpu"),
    MEMORY["cpu"]: partial(_memory, device="cpu"),
    PASSES["cuda"]: partial(_passes, device="cuda"),
    MEMORY["cuda"]: partial(_memory, device="cuda"),
    "start": lambda quick: measure_start(1 if quick else 3),
    "long": _long,
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SHORT = [*(part[device] for device in DEVICES for part in (PASSES, MEMORY)), "start"]  # ten minutes of sound take long


if __name__ == "__main__":
    main()
