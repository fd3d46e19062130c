"""The peers' weights at a geometry that costs milliseconds, and results as a run leaves them."""

from pathlib import Path

import pytest
from oracles import TINY

from benchmarks import peer_code
from benchmarks.contestants import CONTESTANTS, ENTRIES, OURS, entry_name
from benchmarks.passes import ANOTHER_HEAD, ONE_MORE_LAYER
from benchmarks.results import Results
from benchmarks.weights import prepare

MACHINE = {"day": "2026-01-01", "processor": "one of many", "threads": "2"}


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """A small model in every layout."""
    return prepare(TINY, tmp_path_factory.mktemp("weights"))


@pytest.fixture
def entries(monkeypatch) -> list[tuple[str, str]]:
    """Who does what: without torchaudio where its wheel, which only `make bench` downloads, is missing."""
    if list(peer_code.WHEELS.glob("*.whl")):
        return ENTRIES
    entries = [entry for entry in ENTRIES if entry[0] != "torchaudio"]
    monkeypatch.delitem(CONTESTANTS, "torchaudio")
    monkeypatch.setattr("benchmarks.passes.ENTRIES", entries)
    return entries


@pytest.fixture
def results(tmp_path) -> Results:
    """Made-up numbers: every peer takes 1 s and 100 MB, ours half of both, a product 0.2 s."""
    results = Results(tmp_path)
    names = [entry_name(*entry) for entry in ENTRIES]
    ours = {name: [0.5] for name in names if name.startswith(OURS)}
    tasks = {name: [3.0, 1.0, 1.0] for name in names}
    tasks |= {**ours, ONE_MORE_LAYER: [0.02], ANOTHER_HEAD: [0.01], "MKL": [0.4], "oneDNN": [0.2]}
    base = {
        "agreement": {"transformers": 1e-6},
        "passes of a second look": 0,
        "times": {"10": tasks, "60": dict(tasks)},
    }
    results.keep("passes", MACHINE, {"Base": base})
    peaks = {name: {"60": 50_000_000 if name in ours else 100_000_000} for name in names}
    results.keep("memory", MACHINE, {"Base": peaks})
    stages = [{"stage": "trace", "seconds": 60.0, "peak": 5_000_000_000}]
    peers = {entry_name(*entry): None for entry in ENTRIES if entry[0] != OURS}
    results.keep("long", MACHINE, {"600": {"ours": stages, "peers": peers}})
    results.keep("start", MACHINE, {"seconds": {"import": 1.5}, "bytes": {"server": 400_000_000}})
    return results
