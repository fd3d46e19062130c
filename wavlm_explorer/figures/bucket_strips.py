"""Tables of several models side by side: how wide the stretch of distances is that each of their rows serves."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from ..buckets import BucketRule, BucketSettings, bucket_rule
from ..wording import duration
from .style import LABEL_SIZE, LIGHT, Palette, Picture, dress

NEAR_STEPS = 8.0  # up to here the axis is linear, beyond it logarithmic
TICKS = (4, 10, 50, 200, 1000)
STRIP_INCHES = 0.36
STRENGTHS = np.array([(0.95, 0.6), (0.5, 0.25), (0.1, 0.1)])  # of neighbouring rows: exact, logarithmic, the last
COLUMNS = (
    ("rows", 1.07),
    ("exact below", 1.2),
    ("one row from", 1.34),
)  # of numbers beside the strips, in their widths


def bucket_strips(
    settings: Mapping[str, BucketSettings], frame_seconds: float, chosen: str = "", palette: Palette = LIGHT
) -> Picture:
    """A strip for each table, by name, with a cell for each of its rows, over distance in steps; `chosen` stands out.

    Raises: ValueError for settings that make no buckets.
    """
    rules = {name: bucket_rule(each) for name, each in settings.items()}
    reach = max(int(rule.distances[-1]) for rule in rules.values())
    strips_inches = STRIP_INCHES * len(rules)
    height = 1.3 + strips_inches
    figure = Picture(11.5, height, palette)
    axes = figure.add_axes((0.14, 0.75 / height, 0.62, strips_inches / height))
    for place, (name, rule) in enumerate(rules.items()):
        _draw_strip(axes, place, rule, settings[name].num_exact, reach, palette)
        _write_numbers(axes, place, rule, settings[name], palette)
    _scale_steps(axes, reach, 1000 * frame_seconds)
    axes.set_ylim(len(rules) - 0.5, -0.5)
    dress(
        axes, palette, title="One rule, several settings: each cell is a row of the table",
        x=f"distance from query to key in steps: tokens of a text for T5, frames of {1000 * frame_seconds:.0f} ms",
    )  # fmt: skip
    axes.set_yticks(range(len(rules)), [*rules])
    axes.tick_params(axis="y", length=0)
    for label in axes.get_yticklabels():
        is_chosen = label.get_text() == chosen
        label.set(color=palette.accent if is_chosen else palette.ink, fontweight="bold" if is_chosen else "normal")
    for title, offset in COLUMNS:
        axes.text(
            offset, 1.02, title, ha="right", va="bottom", transform=axes.transAxes, fontsize=LABEL_SIZE - 1,
            color=palette.muted,
        )  # fmt: skip
    return figure


def _draw_strip(axes: Axes, place: int, rule: BucketRule, num_exact: int, reach: int, palette: Palette) -> None:
    _, counts = torch.unique_consecutive(rule.buckets, return_counts=True)
    after = counts.cumsum(0).numpy()  # the row's last distance
    distances = rule.distances.numpy()
    starts, ends = distances[np.append(0, after[:-1])], distances[after - 1]
    edges = np.concatenate([[-reach], starts[1:] - 0.5, [reach]])
    colours = _cell_colours(starts, ends, (num_exact, rule.last_from), palette)
    axes.pcolormesh(edges, [place - 0.38, place + 0.38], colours[None], rasterized=True)


def _cell_colours(starts: np.ndarray, ends: np.ndarray, borders: tuple[int, int], palette: Palette) -> np.ndarray:
    """Past and future in their hues, alternately strong in each region; pale where the future shares row 0.

    borders: steps from which on rows are logarithmic, and from which on all is one row.
    """
    region = np.digitize(np.minimum(abs(starts), abs(ends)), borders)
    strength = STRENGTHS[region, np.arange(len(starts)) % 2][:, None]
    hues = np.where((ends < 0)[:, None], to_rgb(palette.contrast), to_rgb(palette.accent))
    background = np.array(to_rgb(palette.background))
    colours = background + strength * (hues - background)
    colours[(starts <= 0) & (ends >= 0)] = to_rgb(palette.ink)
    colours[(starts <= 0) & (ends > 0)] = to_rgb(palette.line)
    return colours


def _write_numbers(axes: Axes, place: int, rule: BucketRule, settings: BucketSettings, palette: Palette) -> None:
    for (_, offset), number in zip(COLUMNS, (settings.num_buckets, settings.num_exact, rule.last_from), strict=True):
        axes.text(
            offset, place, f"{number}", ha="right", va="center", transform=axes.get_yaxis_transform(),
            fontsize=LABEL_SIZE, color=palette.ink,
        )  # fmt: skip


def _scale_steps(axes: Axes, reach: int, hop_ms: float) -> None:
    """Every tick in steps, and below it what that is in frames."""
    axes.set_xscale("symlog", linthresh=NEAR_STEPS, linscale=0.9)
    axes.set_xlim(-reach, reach)
    ticks = [tick for tick in TICKS if tick < reach]
    axes.xaxis.set_major_locator(FixedLocator([*(-tick for tick in reversed(ticks)), 0, *ticks]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda steps, _: f"{steps:g}".replace("-", "−") + f"\n{duration(abs(steps) * hop_ms)}")
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
