"""Training steps: the hook's own, against the original's code and against what chance leads one to expect."""

import copy
from itertools import islice

import pytest
import torch
from oracles import original_modules
from torch import nn

from wavlm_explorer import accumulation
from wavlm_explorer.accumulation import accumulate, drawn_afresh, follow, overwritten
from wavlm_explorer.modules import draw_block_mask

WEIGHT = torch.randn(96, 64, generator=torch.Generator().manual_seed(1))


def take(steps, number):
    return list(islice(steps, number))


@pytest.mark.parametrize("embedding", [False, True])
def test_steps_are_those_of_a_module_in_training(embedding):
    plain = nn.Embedding(96, 64) if embedding else nn.Linear(64, 96)
    plain.weight.data = WEIGHT.clone()
    original = original_modules.quant_noise(copy.deepcopy(plain), 0.3, 8)
    inputs = torch.tensor([5]) if embedding else torch.randn(2, 64)
    torch.manual_seed(4)
    for ours in take(overwritten(WEIGHT, 0.3, 8, 4, embedding), 5):
        original(inputs)
        assert torch.equal(ours, original.weight)


def test_a_step_of_noise_drawn_afresh_starts_from_the_weight():
    generator, linear = torch.Generator().manual_seed(9), nn.Linear(64, 96)
    for now in take(drawn_afresh(WEIGHT, 0.25, 4, 9), 4):
        mask = draw_block_mask(linear, 0.25, 4, generator)
        assert torch.equal(now[mask], torch.zeros(int(mask.sum())))
        torch.testing.assert_close(now[~mask], WEIGHT[~mask] / 0.75)


def test_both_ways_get_the_same_draws():
    ours, afresh = (take(way(WEIGHT, 0.2, 8, 3), 3) for way in (overwritten, drawn_afresh))
    assert torch.equal(ours[0], afresh[0])
    for step in (1, 2):
        assert torch.equal(ours[step] == 0, (ours[step - 1] == 0) | (afresh[step] == 0))


def test_the_global_generator_and_the_weight_are_left_alone():
    state, before = torch.get_rng_state(), WEIGHT.clone()
    accumulate(WEIGHT, 0.2, 8, 3, 4, [1, 4], 48)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(WEIGHT, before)


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_what_is_left_and_how_large_it_is(p):
    both = accumulate(WEIGHT, p, 1, 5, 12, [1, 6, 12], 48)
    steps = torch.arange(13)
    spread = 5 * (0.25 / WEIGHT.numel()) ** 0.5
    assert torch.allclose(both.overwritten.kept, (1 - p) ** steps, atol=spread)
    assert torch.allclose(both.overwritten.growth, (1 - p) ** -steps.float(), rtol=1e-4)
    assert torch.allclose(both.drawn_afresh.kept[1:], torch.tensor(1 - p), atol=spread)
    assert torch.allclose(both.drawn_afresh.growth[1:], torch.tensor(1 / (1 - p)), rtol=1e-4)
    assert both.overwritten.kept[0] == both.drawn_afresh.growth[0] == 1


def test_the_mean_of_noise_drawn_afresh_comes_near_the_weight():
    """Each of n draws is off by W sqrt(p / (1 - p)) in the mean square, and they are independent."""
    both = accumulate(WEIGHT, 0.2, 1, 5, 40, [1], 48)
    assert both.drawn_afresh.mean_distance == pytest.approx((0.2 / (0.8 * 40)) ** 0.5, rel=0.05)
    assert both.overwritten.mean_distance > 1
    total = sum(take(overwritten(WEIGHT, 0.2, 1, 5), 40))
    assert both.overwritten.mean_distance == pytest.approx(float((total / 40 - WEIGHT).norm() / WEIGHT.norm()))


def test_corners_are_the_first_cells_after_the_steps_chosen():
    both = accumulate(WEIGHT, 0.2, 8, 3, 5, [1, 3, 5], 48)
    steps = take(overwritten(WEIGHT, 0.2, 8, 3), 5)
    assert both.chosen == (1, 3, 5)
    assert both.overwritten.corners.shape == (3, 48, 48)
    for corner, step in zip(both.overwritten.corners, (1, 3, 5), strict=True):
        assert torch.equal(corner, steps[step - 1][:48, :48])


def test_when_nothing_is_left_there_is_no_size():
    both = accumulate(WEIGHT, 0.9, 64, 0, 30, [30], 48)
    assert both.overwritten.kept[-1] == both.overwritten.growth[-1] == 0
    assert torch.isfinite(both.overwritten.growth).all()
    record = follow(torch.zeros(4, 4), drawn_afresh(torch.zeros(4, 4), 0.5, 2, 0), 3, [3], 4)
    assert record.mean_distance == 0


def test_of_a_large_weight_the_first_rows_are_followed(monkeypatch):
    monkeypatch.setattr(accumulation, "MOST_ENTRIES", 700)
    both = accumulate(WEIGHT, 0.2, 8, 3, 2, [2], 48)
    assert both.num_rows == 10
    assert torch.equal(both.overwritten.corners[0], take(overwritten(WEIGHT[:10], 0.2, 8, 3), 2)[1][:, :48])


def test_blocks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="divisor of 64"):
        accumulate(WEIGHT, 0.2, 7, 3, 2, [1], 48)
