"""The picture of docs/performance.md: time and memory against length, everybody in the same axes."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from wavlm_explorer.figures.style import LABEL_SIZE, LIGHT, Picture, dress
from wavlm_explorer.operations import count_operations

from .contestants import ATTENTION, ENTRIES, OURS, entry_name
from .ratios import best_rate
from .results import MEMORY, Results
from .weights import GEOMETRIES

COLOURS = {OURS: LIGHT.accent, "Microsoft": LIGHT.ink, "torchaudio": LIGHT.contrast, "transformers": "#9467bd"}
BOX = (0.055, 0.3, 0.26, 0.6)  # left, bottom, width, height of the first panel, shares of the picture
STEP = 0.335  # from panel to panel


def draw(results: Results, file: Path) -> None:
    """Draw the times of Base and of Large, and the memory of Base, on the CPU."""
    picture = Picture(12.6, 4.6)
    panels = [picture.add_axes((BOX[0] + index * STEP, *BOX[1:])) for index in range(3)]
    for axes, geometry in zip(panels, GEOMETRIES, strict=False):
        medians = results.medians(geometry)
        _draw_lines(axes, {seconds: dict(times) for seconds, times in medians.items()})
        roof = {float(seconds): rate for seconds, times in medians.items() if (rate := best_rate(times))}
        least = [count_operations(GEOMETRIES[geometry], int(16_000 * length)).total / roof[length] for length in roof]
        axes.plot(list(roof), least, color=LIGHT.muted, linewidth=1, linestyle=":", label="roofline")
        dress(axes, LIGHT, f"WavLM {geometry}: seconds for a pass", "seconds of sound", "seconds")
    _draw_lines(panels[-1], _by_length(results.numbers(MEMORY["cpu"]).get("Base", {})))
    dress(panels[-1], LIGHT, "WavLM Base: peak memory over the model", "seconds of sound", "GB")
    lines = panels[0].get_lines()
    picture.legend(handles=lines, loc="lower center", ncols=4, frameon=False, fontsize=LABEL_SIZE, labelcolor=LIGHT.ink)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(picture.to_bytes("png"))


def _by_length(memory: dict[str, dict[str, int | None]]) -> dict[str, dict[str, Any]]:
    """Entry -> length -> bytes, turned into length -> entry -> GB."""
    turned: dict[str, dict[str, Any]] = {}
    for entry, peaks in memory.items():
        for seconds, peak in peaks.items():
            turned.setdefault(seconds, {})[entry] = None if peak is None else peak / 1e9
    return turned


def _draw_lines(axes: Axes, values: dict[str, dict[str, Any]]) -> None:
    for name, work in ENTRIES:
        entry = entry_name(name, work)
        points = [(float(seconds), found[entry]) for seconds, found in values.items() if found.get(entry) is not None]
        axes.plot(
            [seconds for seconds, _ in points], [value for _, value in points],
            color=COLOURS[name], linestyle="--" if work == ATTENTION else "-", linewidth=2 if name == OURS else 1.2,
            marker="o", markersize=3, label=entry,
        )  # fmt: skip
    if not values:
        return
    axes.set(xscale="log", yscale="log")
    axes.set_xticks([float(seconds) for seconds in values], minor=False)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(color=LIGHT.line, linewidth=0.6)
    axes.set_axisbelow(True)
