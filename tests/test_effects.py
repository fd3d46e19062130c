"""What interventions do, recomputed by hand; and the sweep over all heads."""

import gc
import weakref

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer import effects
from wavlm_explorer.effects import (
    attention_change,
    head_importance,
    known_importance,
    moved_attention,
    moved_by_head,
    output_change,
    rank_correlation,
    state_changes,
)
from wavlm_explorer.interventions import AttentionUniform, HeadsOff, LayersSkipped


@pytest.fixture
def pair(any_trace):
    return any_trace, any_trace.what_if([AttentionUniform(layers=1, heads=[0, 2])])


def test_changes_of_states_are_those_of_vectors(pair):
    before, after = pair
    changes = state_changes(before, after)
    assert changes.relative.shape == changes.cosine.shape == (before.num_layers + 2, before.num_frames)
    for state, frame in ((2, 4), (3, 0), (4, 7)):
        a, b = (
            [*trace.hidden_states.double().numpy(), trace.output.double().numpy()][state][frame]
            for trace in (before, after)
        )
        assert changes.relative[state, frame] == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a), rel=1e-4)
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert changes.cosine[state, frame] == pytest.approx(cosine, abs=1e-5)
    assert not changes.relative[:2].any()
    a, b = (trace.output.double().numpy() for trace in pair)
    assert output_change(before, after) == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a), rel=1e-5)


def test_moved_attention_is_half_the_difference_of_rows(pair):
    before, after = pair
    moved = moved_attention(before, after, 1)
    a, b = before.attention(1).numpy(), after.attention(1).numpy()
    assert np.allclose(moved, np.abs(b - a).sum(-1) / 2, atol=1e-6)
    assert np.allclose(moved, np.clip(b - a, 0, None).sum(-1), atol=1e-5)  # what comes is what goes
    assert not moved[1].any()
    by_head = moved_by_head(before, after)
    assert torch.allclose(by_head[1], moved.mean(1))
    assert not by_head[0].any()
    assert (by_head[2] > 0).all()


def test_long_maps_are_compared_by_blocks_of_rows(pair, monkeypatch):
    before, after = pair
    whole = moved_attention(before, after, 1)
    difference = (after.attention(1, 2) - before.attention(1, 2))[0]
    assert torch.equal(attention_change(before, after, 1, 2).difference, difference)
    monkeypatch.setattr(effects, "rows_at_once", lambda *_: 7)
    assert torch.allclose(moved_attention(before, after, 1), whole, atol=1e-6)
    pooled = attention_change(before, after, 1, 2, cells=13).difference
    assert pooled.shape == (13, 13)
    assert float(pooled[0, 0]) == pytest.approx(float(max(difference[:3, :3].flatten(), key=abs)), abs=1e-6)


@pytest.mark.parametrize("kind", ["glu", "pre-norm"])
def test_the_sweep_is_one_pass_for_each_head(kind):
    trace, shares = make_trace(VARIANTS[kind]), []
    before = digest(trace.model)
    assert known_importance(trace) is None
    importance = head_importance(trace, shares.append)
    for layer, head in ((0, 0), (1, 2), (2, 1)):
        off = wx.trace(trace.model, trace.audio, interventions=[HeadsOff(layers=layer, heads=head)])
        assert float(importance[layer, head]) == pytest.approx(output_change(trace, off), rel=1e-5)
    assert (importance > 0).all()
    assert np.diff(shares).min() > -1e-9
    assert 0 <= shares[0] < 0.01
    assert shares[-1] == pytest.approx(1)
    assert digest(trace.model) == before


def test_the_sweep_is_remembered_and_let_go_with_its_trace(monkeypatch):
    trace = make_trace(seconds=0.2)
    importance = head_importance(trace)
    monkeypatch.setattr(wx.Trace, "what_if", lambda *_: pytest.fail("computed again"))
    assert head_importance(trace) is known_importance(trace) is importance
    gone = weakref.ref(importance)
    del trace, importance
    gc.collect()
    assert gone() is None


def test_the_sweep_can_be_stopped():
    class Stopped(Exception):  # noqa: N818
        pass

    def stop(share: float) -> None:
        if share > 0.5:
            raise Stopped

    trace = make_trace(seconds=0.2)
    with pytest.raises(Stopped):
        head_importance(trace, stop)
    assert known_importance(trace) is None


def test_a_layer_that_is_skipped_moves_no_attention_of_its_own(tiny_trace):
    moved = moved_by_head(tiny_trace, tiny_trace.what_if([LayersSkipped(1)]))
    assert not moved[:2].any()
    assert (moved[2] > 0).all()


def test_rank_correlation_is_spearman_s():
    from scipy.stats import spearmanr

    generator = torch.Generator().manual_seed(0)
    for digits in (0, 1, 6):  # with ties, and without
        a, b = torch.rand(2, 4, 9, generator=generator).mul(10**digits).round() / 10**digits
        expected = spearmanr(a.flatten(), b.flatten())[0]
        found = rank_correlation(a, b)
        assert found == pytest.approx(expected, abs=1e-9)
    assert rank_correlation(a, torch.ones(4, 9)) is None
