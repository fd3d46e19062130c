"""Fp32LayerNorm and Fp32GroupNorm, against the original."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import largest_difference, original_modules, twins

from wavlm_explorer.modules import Fp32GroupNorm, Fp32LayerNorm

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
EPSILONS = st.sampled_from([1e-5, 1e-3, 0.5])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 2), EPSILONS, st.booleans())
def test_layer_norm_equals_the_original(shape, num_trailing, eps, affine):
    trailing = shape[-num_trailing:]
    original, ours = twins("Fp32LayerNorm", trailing, eps=eps, elementwise_affine=affine)
    x = torch.randn(shape) + 1
    assert torch.equal(ours(x), original(x))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), EPSILONS, st.booleans())
def test_group_norm_equals_the_original(num_groups, channels_in_group, frames, eps, affine):
    channels = num_groups * channels_in_group
    original, ours = twins("Fp32GroupNorm", num_groups, channels, eps=eps, affine=affine)
    x = torch.randn(2, channels, frames) + 1
    if channels_in_group * frames > 1:
        assert torch.equal(ours(x), original(x))


@pytest.mark.parametrize("name", ["Fp32LayerNorm", "Fp32GroupNorm"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parameter_dtype", DTYPES)
def test_dtype_follows_the_input(name, dtype, parameter_dtype):
    arguments = (6,) if name == "Fp32LayerNorm" else (2, 6)
    original, ours = (module.to(parameter_dtype) for module in twins(name, *arguments))
    x = torch.randn(2, 6, 6).to(dtype)
    assert ours(x).dtype == dtype
    assert torch.equal(ours(x), original(x))


@pytest.mark.parametrize(
    ("norm", "plain"),
    [(Fp32LayerNorm(8), torch.nn.LayerNorm(8)), (Fp32GroupNorm(2, 8), torch.nn.GroupNorm(2, 8))],
    ids=["layer", "group"],
)
def test_float64_goes_through_float32(norm, plain):
    x = torch.randn(3, 8, 8, dtype=torch.float64)
    assert 1e-9 < largest_difference(norm.double()(x), plain.double()(x)) < 1e-6


@pytest.mark.parametrize("name", ["Fp32LayerNorm", "Fp32GroupNorm"])
def test_gradients_equal_the_original(name):
    arguments = (6,) if name == "Fp32LayerNorm" else (2, 6)
    gradients = []
    for module in twins(name, *arguments):
        x = torch.linspace(-1, 2, 72).view(2, 6, 6).requires_grad_()
        (module(x) ** 3).sum().backward()
        gradients.append([x.grad, module.weight.grad, module.bias.grad])
    for theirs, ours in zip(*gradients, strict=True):
        assert torch.equal(ours, theirs)


def test_state_dict_keys():
    assert list(Fp32LayerNorm(3).state_dict()) == ["weight", "bias"]
    assert list(Fp32GroupNorm(1, 3).state_dict()) == ["weight", "bias"]
    assert not Fp32LayerNorm(3, elementwise_affine=False).state_dict()
    assert not original_modules.Fp32GroupNorm(1, 3, affine=False).state_dict()
    assert not Fp32GroupNorm(1, 3, affine=False).state_dict()
