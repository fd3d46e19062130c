"""Peak memory of a contestant above its loaded model, measured in a process of its own.

`python -m benchmarks.memory FOLDER CONTESTANT WORK DEVICE SECONDS ...` prints one number of bytes a line, for each
length in turn; it ends early where the memory it may take does not suffice.
"""

import gc
import subprocess
import sys
from pathlib import Path

import torch

from .contestants import CONTESTANTS
from .timing import is_out_of_memory, limited_address_space, make_clip, synchronize

ROOT = Path(__file__).parents[1]
LIMIT_BYTES = 8 << 30  # what a pass may take above the loaded model
STATUS = Path("/proc/self/status")
RESET_PEAK = "5"  # Linux: see proc_pid_clear_refs(5)


def measure_memory(
    folder: Path, contestant: str, work: str, seconds: list[float], device: str
) -> dict[str, int | None]:
    """Seconds of sound -> peak bytes above the loaded model; None where the contestant died of memory.

    A process ended by a signal counts as that: there was no memory left to fail in an orderly way.

    Raises: RuntimeError, with what it wrote, if the process failed for another reason.
    """
    command = [sys.executable, "-m", __name__, str(folder), contestant, work, device, *map(str, seconds)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode > 0:
        raise RuntimeError(f"{contestant}, {work}: {result.stderr}")
    peaks = [int(line) for line in result.stdout.splitlines()]
    return {f"{length:g}": peaks[index] if index < len(peaks) else None for index, length in enumerate(seconds)}


class Peak:
    """Counts the memory that is used at most from its making on, in bytes: of the GPU, or of this process."""

    def __init__(self, device: str) -> None:
        self.device = device
        gc.collect()
        if device != "cpu":
            synchronize(device)
            torch.cuda.reset_peak_memory_stats(device)
        else:
            Path("/proc/self/clear_refs").write_text(RESET_PEAK)
        self.start = self.now()

    def now(self) -> int:
        """The most so far."""
        if self.device != "cpu":
            return torch.cuda.max_memory_allocated(self.device)
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])  # "VmHWM:   1234 kB"

    def above_start(self) -> int:
        """The most so far, above what there was."""
        return self.now() - self.start


def main(folder: str, contestant: str, work: str, device: str, *seconds: str) -> None:
    """Run the passes, shortest first."""
    loaded = CONTESTANTS[contestant](Path(folder), device)
    for weights in loaded.model.state_dict().values():
        weights.sum()  # some loaders leave the weights in their file until they are read
    peak = Peak(device)
    with limited_address_space(LIMIT_BYTES, device):
        for length in map(float, seconds):
            try:
                result = loaded.run(make_clip(length), work)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                return
            print(peak.above_start(), flush=True)
            del result


if __name__ == "__main__":
    main(*sys.argv[1:])
