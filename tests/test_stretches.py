"""Two stretches under one model: each number against one that is computed here, frame by frame."""

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import TINY
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer import stretches
from wavlm_explorer.stretches import distance_profile, similarity, spans_ms, stretch_between, stretch_map, whole

HOP = 0.02


@pytest.fixture
def trace():
    return make_trace(TINY, 0.5, start=3.0)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(stretches, "BLOCK_ROWS", 4)


def test_a_stretch_holds_the_frames_whose_middle_lies_in_it(trace):
    times = trace.frame_times
    part = stretch_between(trace, float(times[3]) - 0.001, float(times[9]) - 0.001, "word")
    assert (part.start, part.stop, part.name) == (3, 9, "word")
    assert part.num_frames == 6
    assert not part.is_whole
    assert stretch_between(trace, 0, 99).is_whole
    assert stretch_between(trace, 3.1, 3.2).name == "3.10 to 3.20 s"


def test_a_stretch_without_a_frame_is_refused(trace):
    with pytest.raises(ValueError, match=r"frames from 3\.01 to .* found 0 to 1 s"):
        stretch_between(trace, 0, 1)
    with pytest.raises(ValueError, match=r"found 3\.2 to 3\.1 s"):
        stretch_between(trace, 3.2, 3.1)


def test_the_rows_of_a_stretch_are_those_of_the_map(trace, monkeypatch):
    monkeypatch.setattr(stretches, "MARGIN_SECONDS", 3 * HOP)
    part = stretch_between(trace, float(trace.frame_times[5]), float(trace.frame_times[16]))
    weights, keys, factors = stretch_map(part, 1, 1)
    assert (keys, factors) == (slice(2, 19), (1, 1))
    torch.testing.assert_close(weights, trace.attention(1, 1)[0, 5:16, 2:19], rtol=0, atol=1e-6)
    assert stretch_map(whole(trace), 1, 1).keys == slice(0, trace.num_frames)


def test_long_stretches_are_pooled(trace, monkeypatch):
    monkeypatch.setattr(stretches, "pooling_factor", lambda length: -(-length // 5))
    weights, _, factors = stretch_map(whole(trace), 0, 0)
    assert factors == (-(-trace.num_frames // 5),) * 2
    first = trace.attention(0, 0)[0, : factors[0], : factors[1]].max()
    torch.testing.assert_close(weights[0, 0], first)
    assert max(weights.shape) <= 5
    cosines, every = similarity(whole(trace), whole(trace), 0)
    assert every == factors
    assert len(cosines) <= 5


@pytest.mark.parametrize("reach_seconds", [3 * HOP, 100.0])
def test_the_mean_by_distance_is_that_of_the_cells_that_are_there(trace, monkeypatch, reach_seconds):
    monkeypatch.setattr(stretches, "REACH_SECONDS", reach_seconds)
    part = stretch_between(trace, float(trace.frame_times[2]), float(trace.frame_times[13]))
    distances, means = distance_profile(part, 2, 1)
    weights = trace.attention(2, 1)[0].numpy()
    assert torch.equal(distances, distances.sort().values)
    for distance, mean in zip(distances.tolist(), means.tolist(), strict=True):
        step = round(distance / 1000 / HOP)
        cells = [weights[row, row + step] for row in range(2, 13) if 0 <= row + step < len(weights)]
        assert np.isclose(mean, np.mean(cells), atol=1e-6)
    if reach_seconds > 1:
        assert len(distances) == 12 + trace.num_frames - 2 - 1 + 1


def test_how_far_each_head_looks(trace):
    part = stretch_between(trace, float(trace.frame_times[4]), float(trace.frame_times[11]))
    weights, frames = trace.attention(0), torch.arange(trace.num_frames)
    expected = [
        np.mean([float((head[row] * (frames - row).abs()).sum()) * 1000 * HOP for row in range(4, 11)])
        for head in weights
    ]
    np.testing.assert_allclose(spans_ms(part, 0), expected, rtol=1e-5)
    np.testing.assert_allclose(spans_ms(whole(trace), 1), trace.measures([1])["span_ms"][0], rtol=1e-5)


def test_alike_is_the_cosine_without_what_all_frames_share():
    model = make_model(VARIANTS["pre-norm"])
    first, second = (wx.trace(model, make_audio(seconds)) for seconds in (0.4, 0.6))
    a, b = stretch_between(first, 0.1, 0.3), whole(second)
    cosines, _ = similarity(a, b, 1)
    x, y = (trace.hidden_states[2].double().numpy() for trace in (first, second))
    mean = np.concatenate([x, y]).mean(axis=0)
    for row in range(a.num_frames):
        for column in range(0, b.num_frames, 7):
            one, other = x[a.start + row] - mean, y[column] - mean
            expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
            assert np.isclose(cosines[row, column], expected, atol=1e-5)


def test_two_parts_of_one_clip_are_centred_on_that_clip(trace):
    a, b = stretch_between(trace, 3.0, 3.2), stretch_between(trace, 3.1, 3.3)
    cosines, _ = similarity(a, b, 0)
    torch.testing.assert_close(cosines.diagonal(-(b.start - a.start)), torch.ones(a.stop - b.start))


def test_two_models_have_no_channels_in_common():
    with pytest.raises(ValueError, match="two stretches of one model"):
        similarity(whole(make_trace()), whole(make_trace()), 0)


def test_layers_and_heads_that_are_not_there(trace):
    for ask in (
        lambda: stretch_map(whole(trace), 99, 0),
        lambda: distance_profile(whole(trace), 0, 99),
        lambda: spans_ms(whole(trace), 99),
        lambda: similarity(whole(trace), whole(trace), 99),
    ):
        with pytest.raises(IndexError, match="99 is out of range"):
            ask()
