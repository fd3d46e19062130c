"""GLU_Linear, against the original."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import largest_difference, original_modules, twins

from wavlm_explorer.modules import GLU_Linear

GLU_TYPES = ["sigmoid", "swish", "relu", "gelu", "bilinear"]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("glu_type", GLU_TYPES)
def test_every_type_equals_the_original(glu_type, bias):
    original, ours = twins("GLU_Linear", 5, 7, glu_type, bias_in_glu=bias)
    gradients = []
    for module in (original, ours):
        x = torch.linspace(-2, 2, 60).view(3, 4, 5).requires_grad_()
        y = module(x)
        (y**2).sum().backward()
        gradients.append([y, x.grad, *(parameter.grad for parameter in module.parameters())])
    for theirs, mine in zip(*gradients, strict=True):
        assert largest_difference(mine, theirs) < 1e-5


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(GLU_TYPES), st.booleans(), st.integers(0, 9))
def test_same_seed_same_weights(inputs, outputs, glu_type, bias, seed):
    torch.manual_seed(seed)
    original = original_modules.GLU_Linear(inputs, outputs, glu_type, bias).state_dict()
    torch.manual_seed(seed)
    ours = GLU_Linear(inputs, outputs, glu_type, bias).state_dict()
    assert list(ours) == list(original) == (["linear.weight", "linear.bias"] if bias else ["linear.weight"])
    assert all(torch.equal(ours[name], original[name]) for name in ours)


def test_the_default_is_a_sigmoid_with_bias():
    original, ours = twins("GLU_Linear", 3, 4)
    x = torch.randn(2, 3, 3)
    assert largest_difference(ours(x), original(x)) < 1e-6
    assert ours.linear.bias is not None


@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (2, 3, 4, 20), (1, 2, 1, 2, 3)])
def test_any_rank_is_gated_on_its_last_axis(shape):
    unit = GLU_Linear(5, 7, "swish")
    x = torch.randn(*shape, 5)
    flat = unit(x.reshape(1, -1, 5)).view(*shape, 7)
    assert largest_difference(unit(x), flat) < 1e-6


def test_the_original_fails_on_other_ranks():
    original = original_modules.GLU_Linear(5, 7, "swish")
    with pytest.raises(IndexError):
        original(torch.randn(3, 5))
    assert original(torch.randn(2, 3, 20, 5)).shape != (2, 3, 20, 7)


@pytest.mark.parametrize("glu_type", ["tanh", "", "Swish"])
def test_an_unknown_type_is_refused_at_once(glu_type):
    original_modules.GLU_Linear(2, 2, glu_type)  # fails no earlier than in forward
    with pytest.raises(ValueError, match="glu_type: expected one of sigmoid, swish"):
        GLU_Linear(2, 2, glu_type)


@pytest.mark.parametrize("glu_type", GLU_TYPES)
def test_the_terms_multiply_to_the_output(glu_type):
    unit = GLU_Linear(5, 7, glu_type)
    x = torch.randn(2, 3, 5)
    value, gate_input, gate, output = unit.terms(x)
    stacked = unit.linear(x)
    assert torch.equal(value, stacked[..., :7])
    assert torch.equal(gate_input, stacked[..., 7:])
    assert torch.equal(gate, unit.glu_act(gate_input))
    assert torch.equal(value * gate, output)
    assert torch.equal(unit(x), output)


@pytest.mark.parametrize("glu_type", ["sigmoid", "swish", "gelu", "bilinear"])
def test_gradcheck(glu_type):
    unit = GLU_Linear(3, 2, glu_type).double()
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unit, x)
