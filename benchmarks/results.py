"""What has been measured, kept as JSON: each part with the machine it was measured on."""

import json
from pathlib import Path
from statistics import median
from typing import Any

FILE = "performance.json"
PASSES = {"cpu": "passes", "cuda": "gpu-passes"}  # device -> the part that holds its times
MEMORY = {"cpu": "memory", "cuda": "gpu-memory"}
Medians = dict[str, float | None]  # task -> seconds, None where memory did not suffice


class Results:
    """The numbers of every part measured so far: `parts[name]` has "machine" and "numbers"."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.parts: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, part: str, machine: dict[str, str], numbers: Any) -> None:
        """Put a part in the place of what was measured before, and save."""
        self.parts[part] = {"machine": machine, "numbers": numbers}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.parts, indent=1) + "\n")

    def numbers(self, part: str) -> Any:
        """A part's numbers, empty if it was not measured."""
        return self.parts.get(part, {}).get("numbers", {})

    def medians(self, geometry: str, device: str = "cpu") -> dict[str, Medians]:
        """Seconds of sound -> task -> median time."""
        times = self.numbers(PASSES[device]).get(geometry, {}).get("times", {})
        return {
            seconds: {task: None if taken is None else median(taken) for task, taken in tasks.items()}
            for seconds, tasks in times.items()
        }
