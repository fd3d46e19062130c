"""Tasks timed together, so that what slows the machine down slows all of them."""

import gc
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import psutil
import torch

Times = list[float] | None  # seconds of every round; None where memory did not suffice


def make_clip(seconds: float) -> np.ndarray:
    """Noise of mean 0 and variance 1, [samples] float32: what a model that wants normalised sound expects."""
    noise = np.random.default_rng(0).standard_normal(int(16_000 * seconds), dtype=np.float32)
    return (noise - noise.mean()) / noise.std()


def time_in_turns(tasks: Mapping[str, Callable[[], object]], rounds: int, device: str = "cpu") -> dict[str, Times]:
    """Run all tasks `rounds` times, each round in another order; a task that runs out of memory is out."""
    times: dict[str, Times] = {name: [] for name in tasks}
    names = list(tasks)
    gc.collect()
    gc.freeze()  # so that collecting what a task left does not walk over all of PyTorch
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            taken = times[name]
            if taken is None:
                continue
            try:
                taken.append(time_once(tasks[name], device))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                times[name] = None
    gc.unfreeze()
    return times


def time_once(task: Callable[[], object], device: str = "cpu") -> float:
    """Seconds that a task takes until the device is done with it; its result is thrown away afterwards."""
    gc.collect()
    synchronize(device)
    start = time.perf_counter()
    result = task()
    synchronize(device)
    seconds = time.perf_counter() - start
    del result
    return seconds


def synchronize(device: str) -> None:
    """Wait for a GPU."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error tells of missing memory; PyTorch does so by a RuntimeError."""
    return isinstance(error, MemoryError) or "memory" in str(error)


@contextmanager
def limited_address_space(more: int, device: str = "cpu") -> Iterator[None]:
    """Let this process grow by so many bytes and no further: then it fails, not the machine.

    With a GPU there is no limit: its driver reserves addresses by the terabyte.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    if device == "cpu":
        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
