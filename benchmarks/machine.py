"""What the numbers were measured on."""

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from .peer_code import find_wheel

PEERS = ("torch", "transformers", "s3prl")


def describe_machine() -> dict[str, str]:
    """Processor, memory, threads, versions and the day."""
    described = {
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": str(psutil.cpu_count(logical=True)),
        "threads": str(torch.get_num_threads()),
        "load before": f"{os.getloadavg()[0]:.1f}",  # running processes, over the last minute
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PEERS},
        "torchaudio": find_wheel().name.split("-")[1],
    }
    if torch.cuda.is_available():
        described["GPU"] = torch.cuda.get_device_name()
    return described


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if not names.exists():
        return platform.processor()
    line = next((line for line in names.read_text().splitlines() if line.startswith("model name")), ": unknown")
    return f"{line.partition(':')[2].strip()}, {torch.backends.cpu.get_cpu_capability()}"
