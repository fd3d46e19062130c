"""What heads prefer, against the table read by hand."""

import math
from itertools import pairwise

import pytest
import torch
from models import VARIANTS
from oracles import TINY
from traces import make_trace

from wavlm_explorer.bias import FAR_MS, ZONES, coarse_bias, learned_bias, preferences
from wavlm_explorer.buckets import BucketSettings, own_settings
from wavlm_explorer.modules import distance_buckets, relative_position_buckets


def table_of(trace):
    return trace.model.encoder.block(0).self_attn.relative_attention_bias.weight


def write(trace, rows, head=1):
    """Make the table zero but for some rows of one head."""
    table_of(trace).data.zero_()
    for row, bias in rows.items():
        table_of(trace).data[row, head] = bias
    return trace


def test_curves_hold_the_table():
    trace = make_trace()
    curves = learned_bias(trace)
    distances = torch.round(curves.distances_ms / 20).long()
    rows = distance_buckets(distances, TINY.num_buckets, TINY.max_distance)
    assert torch.equal(curves.bias, table_of(trace).detach()[rows].T)


@pytest.mark.parametrize("settings", [BucketSettings(8, 20), BucketSettings(6, 40, bidirectional=False)])
def test_the_coarse_bias_is_the_mean_of_what_shares_a_row(settings):
    trace = make_trace()
    curves, coarse = learned_bias(trace), coarse_bias(trace, settings)
    assert torch.equal(coarse.distances_ms, curves.distances_ms)
    rows = distance_buckets(torch.round(curves.distances_ms / 20).long(), *settings)
    for row in rows.unique():
        shared = rows == row
        mean = curves.bias[:, shared].mean(dim=1, keepdim=True).expand(-1, int(shared.sum()))
        assert torch.allclose(coarse.bias[:, shared], mean, atol=1e-5)
    assert not torch.allclose(coarse.bias, curves.bias, atol=0.1)


def test_the_models_own_settings_lose_nothing():
    trace = make_trace()
    assert torch.allclose(coarse_bias(trace, own_settings(TINY)).bias, learned_bias(trace).bias, atol=1e-5)


def test_position_alone_is_the_softmax_of_the_middle_row():
    trace = make_trace(seconds=3.1)
    frames, middle = trace.num_frames, trace.num_frames // 2
    rows = relative_position_buckets(frames, TINY.num_buckets, TINY.max_distance)[middle]
    weights = torch.softmax(table_of(trace).detach()[rows].T, dim=1)
    found = preferences(trace)
    reach = round(FAR_MS / 20)
    edges = [0, middle - reach, middle, middle + 1, middle + reach + 1, frames]
    assert edges == sorted(set(edges))
    for zone, (first, end) in enumerate(pairwise(edges)):
        assert torch.allclose(found.shares[:, zone], weights[:, first:end].sum(dim=1), atol=1e-5)
        assert float(found.even_shares[zone]) == pytest.approx((end - first) / frames)
    assert len(ZONES) == 5


@pytest.mark.parametrize(
    ("rows", "peak_ms", "half_ms"),
    [
        ({2: 3.0}, -40, (-40, -40)),
        ({0: 3.0, 1: 2.5}, 0, (-20, 0)),
        ({17: 3.0, 18: 2.31, 19: 2.2}, 20, (20, 40)),  # ln 2 = 0.693: 2.31 is within half, 2.2 is not
        ({17: 3.0, 19: 3.0}, 20, (20, 20)),
    ],
)
def test_the_peak_and_how_wide_it_is(rows, peak_ms, half_ms):
    found = preferences(write(make_trace(), rows))
    assert float(found.peak_ms[1]) == peak_ms
    assert found.half_ms[1].tolist() == list(half_ms)
    assert float(found.peak[1]) == pytest.approx(3.0)
    assert float(found.typical[1]) == 0


def test_a_wide_preference_ends_with_the_clip():
    found = preferences(write(make_trace(), {0: math.log(2) - 0.01}))
    reach = 20 * (make_trace().num_frames - 1)
    assert found.half_ms[1].tolist() == [-reach, reach]


@pytest.mark.parametrize(
    "measure", [learned_bias, preferences, lambda trace: coarse_bias(trace, BucketSettings(8, 20))]
)
def test_no_positions_no_bias(measure):
    with pytest.raises(ValueError, match="relative positions"):
        measure(make_trace(VARIANTS["no positions"]))
