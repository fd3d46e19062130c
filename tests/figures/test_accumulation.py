"""Pictures of noise over training steps, against the record of the steps and the formulas."""

import numpy as np
import pytest
import torch
from traces import panels

from wavlm_explorer import figures
from wavlm_explorer.accumulation import accumulate
from wavlm_explorer.figures import DARK, LIGHT

WEIGHT = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))


def run(p: float, num_steps: int, chosen):
    return accumulate(WEIGHT, p, 8, 3, num_steps, chosen, 48)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_corners_are_drawn_entry_by_entry_on_one_scale(palette):
    both = run(0.2, 9, [1, 5, 9])
    maps = [axes for axes in panels(figures.noise_corners(both, 2.5, palette)) if axes.images]
    assert [axes.get_title(loc="left") for axes in maps[:3]] == ["after 1 step", "after 5 steps", "after 9 steps"]
    assert [axes.get_ylabel() for axes in maps[::3]] == ["overwritten", "drawn afresh"]
    for axes, corner in zip(maps, [*both.overwritten.corners, *both.drawn_afresh.corners], strict=True):
        assert np.array_equal(axes.images[0].get_array(), corner)
        assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (-2.5, 2.5)


def curves(axes, colour):
    """The line of the formula and the dots of the run, [2, steps] each: x and y."""
    line, dots = (each for each in axes.lines if each.get_color() == colour)
    assert dots.get_marker() == "o"
    assert line.get_marker() == "None"
    return line.get_xydata().T, dots.get_xydata().T


@pytest.mark.parametrize(("p", "num_steps"), [(0, 5), (0.05, 50), (0.3, 12), (0.9, 50), (0.9, 1)])
def test_dots_are_what_was_run_and_lines_the_powers(p, num_steps):
    both = run(p, num_steps, [1])
    kept, growth = panels(figures.noise_steps(both, p))
    steps = np.arange(num_steps + 1)
    once = np.minimum(steps, 1)
    for record, powers, colour in (
        (both.overwritten, steps, LIGHT.accent),
        (both.drawn_afresh, once, LIGHT.contrast),
    ):
        line, dots = curves(kept, colour)
        assert np.allclose(line, [steps, 100 * (1 - p) ** powers])
        assert np.allclose(dots, [steps, 100 * record.kept])
        line, dots = curves(growth, colour)
        assert np.allclose(line, [steps, (1 / (1 - p)) ** powers])
        there = record.kept.numpy() > 0
        assert np.allclose(dots, [steps[there], record.growth.numpy()[there]])
    assert growth.get_ylim()[1] > (1 / (1 - p)) ** num_steps
    figures.noise_steps(both, p, DARK).to_bytes("png", 40)


def test_a_chance_of_one_is_refused():
    with pytest.raises(ValueError, match="0 <= p < 1"):
        figures.noise_steps(run(0.1, 2, [1]), 1.0)
