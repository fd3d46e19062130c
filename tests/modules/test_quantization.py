"""Quantisation noise: the original's draws and its accumulation, and the pure functions that it is made of."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_modules
from torch import nn

from wavlm_explorer.modules import draw_block_mask, noised_weight, quant_noise

# name -> (module, block size, input)
CASES = {
    "linear": (lambda: nn.Linear(16, 5), 8, torch.randn(3, 16)),
    "linear without bias": (lambda: nn.Linear(12, 4, bias=False), 3, torch.randn(3, 12)),
    "embedding": (lambda: nn.Embedding(9, 8), 4, torch.arange(9)),
    "conv 3x3": (lambda: nn.Conv2d(4, 6, 3), 9, torch.randn(1, 4, 5, 5)),
    "conv 2x4": (lambda: nn.Conv2d(3, 2, (2, 4)), 2, torch.randn(1, 3, 5, 5)),
    "conv 1x3": (lambda: nn.Conv2d(3, 2, (1, 3)), 3, torch.randn(1, 3, 5, 5)),
    "grouped conv": (lambda: nn.Conv2d(4, 6, 3, groups=2), 3, torch.randn(1, 4, 5, 5)),
}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("case", CASES)
def test_the_noise_piles_up_as_in_the_original(case, p):
    make, block_size, x = CASES[case]
    plain = make()
    ours = quant_noise(copy.deepcopy(plain), p, block_size)
    original = original_modules.quant_noise(copy.deepcopy(plain), p, block_size)
    for step in range(6):
        torch.manual_seed(step)
        output = ours(x)
        torch.manual_seed(step)
        assert torch.equal(output, original(x))
        assert torch.equal(ours.weight, original.weight)
    assert not torch.equal(ours.weight, plain.weight)
    assert list(ours.state_dict()) == list(plain.state_dict())


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 8), st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_linear_of_any_size_equals_the_original(blocks, block_size, outputs, p, seed):
    plain = nn.Linear(blocks * block_size, outputs)
    weights = []
    for function in (quant_noise, original_modules.quant_noise):
        module = function(copy.deepcopy(plain), p, block_size)
        torch.manual_seed(seed)
        module(torch.zeros(1, blocks * block_size))
        weights.append(module.weight)
    assert torch.equal(*weights)


def test_eval_leaves_the_weights_alone():
    module = quant_noise(nn.Linear(8, 4), 0.5, 4).eval()
    before = module.weight.clone()
    module(torch.randn(2, 8))
    assert torch.equal(module.weight, before)


def test_survivors_grow_step_by_step():
    module = quant_noise(nn.Linear(64, 64), 0.25, 8)
    before, zeros = module.weight.clone(), []
    for _ in range(6):
        module(torch.randn(1, 64))
        zeros.append((module.weight == 0).float().mean())
    assert zeros == sorted(zeros)
    assert zeros[-1] == pytest.approx(1 - 0.75**6, abs=0.06)
    survivors = module.weight != 0
    torch.testing.assert_close(module.weight[survivors], before[survivors] / 0.75**6)


@pytest.mark.parametrize("groups", [1, 2])
def test_one_by_one_convolutions_work(groups):
    plain = nn.Conv2d(8, 6, 1, groups=groups)
    module = quant_noise(copy.deepcopy(plain), 0.5, 4)
    assert module(torch.randn(1, 8, 2, 2)).shape == (1, 6, 2, 2)
    assert module.weight.shape == plain.weight.shape
    blocks = (module.weight == 0).view(6, -1, 4)
    assert torch.equal(blocks.all(-1), blocks.any(-1))
    assert blocks.any()
    assert not blocks.all()


def test_one_by_one_convolutions_fail_in_the_original():
    original = original_modules.quant_noise(nn.Conv2d(8, 6, 1), 0.5, 4)
    with pytest.raises(RuntimeError):
        original(torch.randn(1, 8, 2, 2))


@pytest.mark.parametrize("p", [0, -0.5])
def test_no_noise_changes_nothing(p):
    module = nn.Conv1d(2, 2, 2)
    assert quant_noise(module, p, 3) is module
    assert not module._forward_pre_hooks


def test_the_same_module_comes_back():
    module = nn.Linear(4, 4)
    assert quant_noise(module, 0.5, 2) is module


@pytest.mark.parametrize("p", [1, 1.5, float("nan")])
def test_a_probability_of_one_is_refused(p):
    with pytest.raises(ValueError, match="expected a probability 0 <= p < 1"):
        quant_noise(nn.Linear(4, 4), p, 2)
    with pytest.raises((ZeroDivisionError, RuntimeError)):
        original_modules.quant_noise(nn.Linear(4, 4), p, 2)(torch.zeros(1, 4))


@pytest.mark.parametrize("module", [nn.Conv1d(4, 4, 1), nn.LayerNorm(4)])
def test_other_modules_are_refused(module):
    with pytest.raises(TypeError, match="expected a Linear, Embedding or Conv2d"):
        quant_noise(module, 0.5, 2)
    with pytest.raises(AssertionError):
        original_modules.quant_noise(module, 0.5, 2)


@pytest.mark.parametrize(
    ("module", "block_size", "message"),
    [
        (nn.Linear(6, 4), 4, "Input features must be a multiple of block sizes: expected a divisor of 6"),
        (nn.Embedding(4, 6), 4, "Input features"),
        (nn.Conv2d(6, 4, 1), 4, "Input features"),
        (nn.Conv2d(6, 4, 3), 2, "Kernel size must be a multiple of block size: expected a divisor of 9"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(module, block_size, message):
    with pytest.raises(ValueError, match=message):
        quant_noise(module, 0.5, block_size)
    with pytest.raises(AssertionError):
        original_modules.quant_noise(module, 0.5, block_size)
    with pytest.raises(ValueError, match="block_size=0"):
        quant_noise(module, 0.5, 0)


@pytest.mark.parametrize("case", CASES)
def test_the_pure_draw_is_the_draw_of_the_hook(case):
    make, block_size, x = CASES[case]
    module = make()
    before = copy.deepcopy(module.state_dict())
    torch.manual_seed(7)
    mask = draw_block_mask(module, 0.5, block_size)
    expected = noised_weight(module.weight, mask, 0.5)
    assert all(torch.equal(module.state_dict()[name], before[name]) for name in before)
    assert mask.shape == module.weight.shape
    assert mask.dtype == torch.bool
    torch.manual_seed(7)
    quant_noise(module, 0.5, block_size)(x)
    assert torch.equal(module.weight, expected)


def test_a_generator_draws_without_touching_the_global_one():
    module, state = nn.Linear(8, 8), torch.get_rng_state()
    masks = [draw_block_mask(module, 0.5, 2, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("case", CASES)
def test_the_hook_draws_from_a_generator_of_its_own_as_from_the_global_one(case):
    make, block_size, x = CASES[case]
    plain = make()
    ours = quant_noise(copy.deepcopy(plain), 0.4, block_size, torch.Generator().manual_seed(3))
    original = original_modules.quant_noise(copy.deepcopy(plain), 0.4, block_size)
    torch.manual_seed(3)
    for _ in range(3):
        original(x)
    state = torch.get_rng_state()
    for _ in range(3):
        ours(x)
    assert torch.equal(ours.weight, original.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_draws_of_probability_zero_and_beyond():
    assert not draw_block_mask(nn.Linear(8, 8), 0, 2).any()
    with pytest.raises(ValueError, match="probability"):
        draw_block_mask(nn.Linear(8, 8), -0.1, 2)
    with pytest.raises(TypeError, match="Conv1d"):
        draw_block_mask(nn.Conv1d(8, 8, 1), 0.5, 2)


def test_gradients_reach_the_weights():
    module = quant_noise(nn.Linear(8, 8), 0.5, 2)
    module(torch.ones(1, 8)).sum().backward()
    assert module.weight.grad is not None
    assert torch.equal(module.weight.grad, torch.ones(8, 8))
