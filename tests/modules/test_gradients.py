"""GradMultiply, against the original."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_modules

from wavlm_explorer.modules import GradMultiply

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def gradient_through(function, scale, dtype):
    x = torch.linspace(-2, 2, 6, dtype=dtype).requires_grad_()
    y = function.apply(x, scale)
    (y * torch.arange(6)).sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


@given(st.floats(-3, 3, width=32), st.sampled_from(DTYPES))
def test_equals_the_original(scale, dtype):
    functions = (GradMultiply, original_modules.GradMultiply)
    ours, original = (gradient_through(function, scale, dtype) for function in functions)
    assert torch.equal(ours[0], original[0])
    assert torch.equal(ours[1], original[1])
    assert torch.equal(ours[1], torch.arange(6, dtype=dtype) * scale)


def test_forward_is_the_identity_on_shared_storage():
    x = torch.randn(3, 4)
    y = GradMultiply.apply(x, 0.1)
    assert torch.equal(y, x)
    assert y.data_ptr() == x.data_ptr()


def test_any_dtype_passes():
    x = torch.arange(4)
    assert torch.equal(GradMultiply.apply(x, 0.5), x)


def test_a_tensor_scale_never_learns():
    x, scale = torch.ones(2, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    GradMultiply.apply(x, scale).sum().backward()
    assert scale.grad is None
    assert x.grad is not None
    assert torch.equal(x.grad, torch.full((2,), 0.5))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_gradcheck_finds_the_scale(scale):
    x = torch.randn(4, dtype=torch.float64, requires_grad=True)
    is_true_gradient = torch.autograd.gradcheck(lambda x: GradMultiply.apply(x, scale), x, raise_exception=False)
    assert is_true_gradient == (scale == 1.0)
