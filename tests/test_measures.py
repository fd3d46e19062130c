"""Measures of attention, against numpy, scipy and maps whose measures are known."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from models import make_audio, make_model

from wavlm_explorer import layer_attention, tracing
from wavlm_explorer.measures import MEASURE_NAMES, MapSums, attention_span, estimate, row_distance, row_entropy

FRAME_SECONDS = 0.02


@pytest.fixture
def weights():
    return torch.softmax(3 * torch.randn(2, 40, 40, generator=torch.Generator().manual_seed(0)), dim=-1)


def measure(weights, content=None, position=None):
    sums = MapSums(weights.shape[-1])
    zeros = torch.zeros_like(weights)
    terms = [zeros if term is None else term for term in (content, position)]
    sums.add(weights, *(term.var(dim=-1, correction=0) for term in terms))
    return sums.measures(FRAME_SECONDS)


def test_measures_equal_their_definitions_in_numpy(weights):
    measured = measure(weights)
    frames = np.arange(40)
    distance = np.abs(frames[None] - frames[:, None])
    for head, map_ in enumerate(weights.double().numpy()):
        entropy = scipy.stats.entropy(map_, axis=-1).mean()
        assert measured["globalness"][head] == pytest.approx(entropy, rel=1e-5)
        assert measured["entropy"][head] == pytest.approx(entropy / math.log(40), rel=1e-5)
        assert measured["verticality"][head] == pytest.approx(-scipy.stats.entropy(map_.mean(0)), rel=1e-5)
        assert measured["diagonality"][head] == pytest.approx(-(distance * map_).sum() / 40**2, rel=1e-5)
        assert measured["span_ms"][head] == pytest.approx(20 * (distance * map_).sum(-1).mean(), rel=1e-5)
    torch.testing.assert_close(attention_span(weights, FRAME_SECONDS) * 1000, measured["span_ms"])


def test_known_maps_have_known_measures():
    frames = 25
    same = measure(torch.eye(frames)[None])
    assert same["span_ms"] == same["entropy"] == same["diagonality"] == 0
    back = measure(torch.eye(frames).roll(-2, dims=1)[None, 2:])
    assert row_distance(torch.eye(frames).roll(-2, dims=1)[None, 2:], torch.arange(2, frames)).unique().tolist() == [2]
    assert back["entropy"] == 0
    flat = measure(torch.full((1, frames, frames), 1 / frames))
    assert flat["entropy"] == pytest.approx(1)
    assert flat["verticality"] == pytest.approx(-math.log(frames))
    stripe = torch.zeros(1, frames, frames)
    stripe[:, :, 7] = 1
    assert measure(stripe)["verticality"] == 0


def test_position_share_ignores_what_the_softmax_ignores():
    generator = torch.Generator().manual_seed(1)
    content, position = torch.randn(2, 3, 30, 30, generator=generator)
    weights = torch.softmax(content + position, dim=-1)
    share = measure(weights, content, position)["position_share"]
    expected = position.var(-1, correction=0).sum(-1) / (content + 0).var(-1, correction=0).add(
        position.var(-1, correction=0)
    ).sum(-1)
    torch.testing.assert_close(share, expected)
    shifted = measure(weights, content + 100 * torch.rand(3, 30, 1, generator=generator), position)
    torch.testing.assert_close(shifted["position_share"], share, atol=1e-3, rtol=1e-3)
    assert measure(weights, content)["position_share"].tolist() == [0, 0, 0]
    assert measure(weights, None, position)["position_share"].tolist() == [1, 1, 1]
    assert measure(weights)["position_share"].tolist() == [0, 0, 0]


def test_blocks_of_rows_add_up_to_the_whole(weights):
    sums = MapSums(40)
    for rows in weights.split(7, dim=1):
        sums.add(rows, rows.var(dim=-1, correction=0), 4 * rows.var(dim=-1, correction=0))
    whole = measure(weights, weights, 2 * weights)
    for name, value in sums.measures(FRAME_SECONDS).items():
        torch.testing.assert_close(value, whole[name])


def test_entropy_of_a_row_with_zeros_is_finite():
    assert row_entropy(torch.tensor([0.0, 1.0, 0.0])) == 0
    assert row_entropy(torch.tensor([0.0, 0.5, 0.5])) == pytest.approx(math.log(2))


def test_a_trace_measures_every_head(any_trace, monkeypatch):
    measured = any_trace.measures()
    assert tuple(measured) == MEASURE_NAMES
    for name, values in measured.items():
        assert values.shape == (any_trace.num_layers, any_trace.num_heads), name
        assert values.isfinite().all(), name
    terms = any_trace.terms_of_heads(1)
    expected = measure(terms.weights, terms.content, terms.position)
    for name, values in expected.items():
        torch.testing.assert_close(measured[name][1], values, atol=1e-5, rtol=1e-4)
    monkeypatch.setattr(layer_attention, "rows_at_once", lambda *_: 7)
    in_blocks = tracing.trace(any_trace.model, any_trace.audio).measures()
    for name, values in measured.items():
        torch.testing.assert_close(in_blocks[name], values)


def test_one_frame_can_be_measured():
    measured = tracing.trace(make_model(), make_audio(0.025)).measures()
    assert all(values.isfinite().all() for values in measured.values())
    assert measured["entropy"].abs().max() == 0


def test_sampled_measures_lie_within_their_errors():
    traced = tracing.trace(make_model(), make_audio(6.0))
    exact = traced.measures()
    sampled = traced.sampled_measures(num_rows=60)
    assert set(exact) - set(sampled) == {"verticality"}
    for name, told in sampled.items():
        assert told.value.shape == told.standard_error.shape == exact[name].shape
        assert ((told.value - exact[name]).abs() <= 4.5 * told.standard_error + 1e-5).all(), name
        assert bool((told.standard_error > 0).all()) != (name == "position_share")
    for name, told in traced.sampled_measures([1], num_rows=10_000).items():
        torch.testing.assert_close(told.value, exact[name][1:2])
        assert not told.standard_error.any()


def test_the_error_of_an_estimate_is_that_of_repeated_samples():
    rows = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    draws = [estimate(rows[:, torch.randperm(50)[:10]], 50) for _ in range(2000)]
    spread = torch.stack([draw.value for draw in draws]).std(dim=0)
    mean_square = torch.stack([draw.standard_error for draw in draws]).square().mean(dim=0)
    torch.testing.assert_close(mean_square.sqrt(), spread, rtol=0.1, atol=0)
    assert estimate(rows[:, :1], 50).standard_error.isnan().all()
