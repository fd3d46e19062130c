"""The numbers of gated linear units, against the weights and against counting."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace

from wavlm_explorer.demonstration import demonstration_terms
from wavlm_explorer.glu import (
    CLOSED,
    gate_shares,
    own_glu_type,
    passed_ratio,
    rank_channels,
    region_shares,
    under_gate,
    unit_terms,
)
from wavlm_explorer.modules import GLU_Linear, GLUTerms
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS

KINDS = list(GLU_ACTIVATIONS)
GATES_BY_HAND = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "swish": lambda z: z / (1 + math.exp(-z)),
    "relu": lambda z: max(0.0, z),
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "bilinear": lambda z: z,
}


def make_terms(gate, value=None) -> GLUTerms:
    gate = torch.tensor(gate)
    value = torch.ones_like(gate) if value is None else torch.tensor(value)
    return GLUTerms(value, gate, gate, value * gate)


@pytest.mark.parametrize("kind", KINDS)
def test_every_gate_is_computed_from_the_layer_s_own_weights(kind):
    trace = make_trace(VARIANTS["glu"])
    weights = trace.model.state_dict()
    stacked, bias = (weights[f"encoder.layers.1.fc1.linear.{name}"].double().numpy() for name in ("weight", "bias"))
    value, z = np.split(trace.feed_forward_input(1).double().numpy() @ stacked.T + bias, 2, axis=1)
    gate = np.vectorize(GATES_BY_HAND[kind])(z)
    terms = unit_terms(trace, 1, kind)
    for term, by_hand in zip(terms, (value, z, gate, value * gate), strict=True):
        assert np.allclose(term, by_hand, atol=1e-5)


def test_the_own_type_is_read_and_its_terms_are_the_trace_s():
    trace = make_trace(VARIANTS["glu"])
    assert own_glu_type(trace) == "swish"
    assert own_glu_type(make_trace()) is None
    for mine, theirs in zip(unit_terms(trace, 2, "swish"), trace.glu(2), strict=True):
        assert torch.equal(mine, theirs)


def test_without_a_glu_the_demonstration_stands_in():
    trace = make_trace()
    for mine, theirs in zip(unit_terms(trace, 1, "gelu"), demonstration_terms(trace, 1, "gelu"), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_another_gate_is_what_a_unit_of_that_type_makes(kind):
    unit = GLU_Linear(5, 7, kind)
    x = torch.randn(11, 5)
    other = GLU_Linear(5, 7, "bilinear")
    other.load_state_dict(unit.state_dict())
    for mine, theirs in zip(under_gate(other.terms(x), kind), unit.terms(x), strict=True):
        assert torch.equal(mine, theirs)


def test_an_unknown_gate_is_a_key_error():
    with pytest.raises(KeyError, match="tanh"):
        unit_terms(make_trace(VARIANTS["glu"]), 0, "tanh")


@pytest.mark.parametrize("kind", KINDS)
def test_shares_are_counted_whole_by_channel_and_by_frame(kind):
    gate = demonstration_terms(make_trace(seconds=1), 1, kind).gate
    for dim in (None, 0, 1):
        closed, opened, turned = (np.asarray(share) for share in gate_shares(gate, dim))
        assert np.allclose(closed, (np.abs(gate.numpy()) < CLOSED).mean(axis=dim), atol=1e-6)
        assert np.allclose(opened, (gate.numpy() >= CLOSED).mean(axis=dim), atol=1e-6)
        assert np.allclose(closed + opened + turned, 1, atol=1e-6)


def test_a_gate_at_the_edge_is_not_closed():
    assert [float(share) for share in gate_shares(torch.tensor([[CLOSED, -CLOSED, 0.0, 0.05]]))] == [0.5, 0.25, 0.25]


def test_regions_count_kinds_of_gates_by_the_sign_of_the_value():
    terms = make_terms([[0.0, 0.5, -0.5, 2.0]], [[-1.0, -1.0, 1.0, 0.0]])
    assert region_shares(terms).tolist() == [[0.25, 0], [0.25, 0.25], [0, 0.25]]


def test_how_much_passes_is_told_by_root_mean_squares():
    assert passed_ratio(make_terms([[0.6, 0.8]], [[5.0, -5.0]])) == pytest.approx(math.sqrt(0.5))
    assert passed_ratio(make_terms([[3.0]], [[0.0]])) == 0


def test_channels_are_ranked_by_how_often_they_are_closed_then_by_size():
    gate = torch.tensor([[0.0, 3.0, 0.05, -0.5, 2.0], [0.0, -3.0, 4.0, 0.5, 0.0]])
    ranking = rank_channels(make_terms(gate.tolist()))
    assert ranking.order.tolist() == [0, 4, 2, 3, 1]
    assert ranking.shares.closed.tolist() == [1, 0.5, 0.5, 0, 0]
    assert ranking.shares.open.tolist() == [0, 0.5, 0.5, 0.5, 0.5]
    assert ranking.shares.turned.tolist() == [0, 0, 0, 0.5, 0.5]


def test_one_frame_and_one_layer_are_enough():
    trace = make_trace(dataclasses.replace(VARIANTS["glu"], encoder_layers=1), 0.025)
    ranking = rank_channels(unit_terms(trace, 0, "relu"))
    assert sorted(ranking.order.tolist()) == list(range(trace.model.config.encoder_ffn_embed_dim))
