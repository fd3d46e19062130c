"""Activations, against the original."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from oracles import largest_difference, original_modules

from wavlm_explorer.modules import Swish, gelu, gelu_accurate, get_activation_fn

NAMES = ["relu", "gelu", "gelu_accurate", "tanh", "linear", "glu"]
X = torch.linspace(-8, 8, 10_001)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NAMES)
def test_every_name_equals_the_original(name, dtype):
    x = X.to(dtype)
    ours, original = get_activation_fn(name)(x), original_modules.get_activation_fn(name)(x)
    assert ours.dtype == original.dtype == dtype
    assert torch.equal(ours, original)


def test_gelu_fast_warns_of_its_new_name():
    with pytest.warns(UserWarning, match="renamed to gelu_accurate"):
        function = get_activation_fn("gelu_fast")
    assert function is gelu_accurate
    with pytest.warns(UserWarning, match="renamed to gelu_accurate"):
        original_modules.get_activation_fn("gelu_fast")


@pytest.mark.parametrize("name", NAMES)
def test_no_other_name_warns(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_activation_fn(name)


@pytest.mark.parametrize("name", ["silu", "swish", "", "GELU", "glu "])
def test_unknown_names_are_refused(name):
    with pytest.raises(RuntimeError, match="--activation-fn"):
        get_activation_fn(name)
    with pytest.raises(RuntimeError, match="--activation-fn"):
        original_modules.get_activation_fn(name)


def test_the_feed_forward_without_activation_is_the_identity():
    for name in ("linear", "glu"):
        assert get_activation_fn(name)(X) is X


def test_swish_equals_the_original_and_silu():
    assert torch.equal(Swish()(X), original_modules.Swish()(X))
    assert largest_difference(Swish()(X), F.silu(X)) < 1e-6
    assert [name for name, _ in Swish().named_children()] == ["act"]
    assert not Swish().state_dict()


def test_the_two_gelus_differ_by_at_most_half_a_thousandth():
    x = torch.linspace(-5, 5, 10_001)
    assert 4e-4 < largest_difference(gelu(x), gelu_accurate(x)) <= 5e-4


def test_gelu_takes_float64_through_float32():
    x = X.double()
    assert 1e-9 < largest_difference(gelu(x), F.gelu(x)) < 2e-6
    assert largest_difference(gelu_accurate(x), F.gelu(x, approximate="tanh")) < 1e-14


@pytest.mark.parametrize("function", [Swish(), gelu_accurate], ids=["swish", "gelu_accurate"])
def test_gradcheck(function):
    x = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, x)


def test_gelu_gradient_equals_the_original():
    gradients = []
    for function in (gelu, original_modules.gelu):
        x = X.clone().requires_grad_()
        function(x).sum().backward()
        gradients.append(x.grad)
    assert torch.equal(*gradients)
