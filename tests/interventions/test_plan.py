"""Interventions together: one after another, later instead of whole, in blocks, by several threads, and refused."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import TINY, relative_difference
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.encoder import TransformerSentenceEncoderLayer
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
    StatesPatched,
)

LISTS = {
    "one": [HeadsOff(layers=2)],
    "below": [PositionOff(layers=0, heads=1), AttentionWithin(2, layers=2)],
    "states": [StatesPatched(1, make_trace(seconds=0.8), frames=3), LayersSkipped([2]), ContentOff(layers=0)],
    "sound": [FramesHidden([3, 4]), GateFixed(0.0, heads=slice(1, None)), HeadsOff(mean=True, layers=1)],
    "none": [HeadsOff(layers=[])],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_later_pass_is_a_whole_one_bit_for_bit(name, tiny_trace):
    interventions = LISTS[name]
    whole = wx.trace(tiny_trace.model, tiny_trace.audio, interventions=interventions)
    at_once = tiny_trace.what_if(interventions)
    one_by_one = tiny_trace
    for intervention in interventions:
        one_by_one = one_by_one.what_if([intervention])
    for later in (at_once, one_by_one):
        assert later.interventions == whole.interventions == tuple(interventions)
        assert torch.equal(later.hidden_states, whole.hidden_states)
        assert torch.equal(later.output, whole.output)
        assert torch.equal(later.attention(2), whole.attention(2))
    assert torch.equal(whole.output, tiny_trace.output) == (name == "none")
    assert f"{len(interventions)} interventions" in repr(whole)


def test_interventions_may_come_one_by_one(tiny_trace):
    interventions = (HeadsOff(layers=2, heads=0), ContentOff(layers=2, heads=1))
    expected = tiny_trace.what_if(interventions)
    model, audio = tiny_trace.model, tiny_trace.audio
    for found in (tiny_trace.what_if(iter(interventions)), wx.trace(model, audio, interventions=iter(interventions))):
        assert found.interventions == interventions
        assert torch.equal(found.output, expected.output)
        assert torch.equal(found.attention(2), expected.attention(2))


def test_a_reach_beyond_every_clip_bars_nothing(tiny_trace):
    changed = tiny_trace.what_if([AttentionWithin(10**30, layers=1)])
    assert torch.equal(changed.attention(1), tiny_trace.attention(1))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("other", [PositionFrom(0), ContentOff(), GateFixed(2.0), PositionOff()], ids=repr)
def test_uniform_attention_is_uniform_whatever_its_logits_would_be(order, other, tiny_trace):
    changed = tiny_trace.what_if([AttentionUniform(layers=1), other][::order])
    assert torch.allclose(changed.attention(1), torch.full_like(changed.attention(1), 1 / tiny_trace.num_frames))


def test_a_large_gate_leaves_numbers_in_half_precision():
    model, audio = make_model(VARIANTS["post-norm"]).half(), make_audio()
    assert wx.trace(model, audio, interventions=[GateFixed(-1000.0)]).output.isfinite().all()


def test_without_interventions_nothing_changes(any_trace):
    for same in (wx.trace(any_trace.model, any_trace.audio, interventions=[]), any_trace.what_if([])):
        assert torch.equal(same.hidden_states, any_trace.hidden_states)
        assert torch.equal(same.output, any_trace.output)
        assert same.interventions == ()


@pytest.mark.parametrize(
    ("intervention", "layers"),
    [
        (HeadsOff(layers=2, heads=0), 1),
        (PositionOff(layers=[2, 1]), 2),
        (LayersSkipped(1), 1),
        (StatesPatched(2, make_trace(seconds=0.8)), 1),
        (StatesPatched(3, make_trace(seconds=0.8)), 0),
    ],
)
def test_layers_below_do_not_run_again(intervention, layers, tiny_trace, monkeypatch):
    runs, shares = [], []
    run = TransformerSentenceEncoderLayer.feed_forward
    monkeypatch.setattr(TransformerSentenceEncoderLayer, "feed_forward", lambda *a: runs.append(1) or run(*a))
    tiny_trace.what_if([intervention], progress=shares.append)
    assert len(runs) == layers
    assert shares == sorted(shares)
    assert len(shares) > layers


def test_long_clips_are_gathered_by_blocks_of_rows(monkeypatch):
    trace = make_trace(seconds=1.5)
    interventions = [AttentionWithin(20), GateFixed(2.0, heads=0), AttentionTo(9, layers=1, heads=1)]
    at_once = trace.what_if(interventions)
    monkeypatch.setattr("wavlm_explorer.layer_attention.rows_at_once", lambda *_: 7)
    in_blocks = trace.what_if(interventions)
    assert relative_difference(in_blocks.output, at_once.output) < 1e-6
    assert torch.allclose(in_blocks.attention_overview(1), at_once.attention(1), atol=1e-6)


def test_a_query_with_no_key_left_gathers_nothing(tiny_trace):
    changed = tiny_trace.what_if([AttentionWithin(2, layers=1, heads=0), AttentionTo(10, layers=1, heads=0)])
    weights = changed.attention(1)
    near = (torch.arange(tiny_trace.num_frames) - 10).abs() <= 2
    assert torch.equal(weights[0].sum(-1), near.float())
    assert torch.equal(weights[0, :, 10], near.float())
    assert torch.equal(weights[1:], tiny_trace.attention(1, slice(1, None)))
    assert all(numbers.isfinite().all() for numbers in changed.measures().values())


def test_one_session_with_interventions_and_one_without_share_a_model():
    model, audio = make_model(VARIANTS["glu"]), make_audio(1.0)
    before = digest(model)
    plain, changed = wx.trace(model, audio), wx.trace(model, audio, interventions=[HeadsOff(heads=1), GateFixed(0.0)])
    wanted = [(), tuple(changed.interventions)] * 10
    with ThreadPoolExecutor(4) as pool:
        traces = list(pool.map(lambda one: wx.trace(model, audio, interventions=one), wanted))
    for interventions, trace in zip(wanted, traces, strict=True):
        expected = changed if interventions else plain
        assert torch.allclose(trace.output, expected.output, atol=1e-6)
        assert torch.allclose(trace.attention(1), expected.attention(1), atol=1e-6)
    assert digest(model) == before


@pytest.mark.parametrize(
    ("kind", "intervention", "error", "words"),
    [
        ("post-norm", HeadsOff(layers=3), IndexError, "layer 3 is out of range: expected 0 to 2"),
        ("post-norm", HeadsOff(heads=[0, -4]), IndexError, "head -4 is out of range"),
        ("post-norm", LayersSkipped(9), IndexError, "layer 9 is out of range"),
        ("post-norm", AttentionTo(10_000), IndexError, "frame 10000 is out of range"),
        ("post-norm", FramesHidden(10_000), IndexError, "frame 10000 is out of range"),
        ("post-norm", PositionFrom(3), IndexError, "source head 3 is out of range"),
        ("post-norm", AttentionWithin(-1), ValueError, "reach: expected a whole number, 0 or more; found -1"),
        ("post-norm", HeadsOff(heads=torch.tensor([True, False, True])), TypeError, r"found tensor\(True\)"),
        ("post-norm", GateFixed(math.nan), ValueError, "for the gate; found nan"),
        ("post-norm", GateFixed(1e39), ValueError, "from -1000 to 1000 for the gate; found 1e"),
        ("no gate", GateFixed(1.0), ValueError, "expected a model with a gate"),
        ("no positions", PositionOff(), ValueError, "expected a model with relative positions"),
        ("no positions", PositionFrom(0), ValueError, "expected a model with relative positions"),
        ("post-norm", StatesPatched(4, make_trace()), IndexError, "is out of range: expected 0 to 3"),
        ("post-norm", StatesPatched(0, make_trace(seconds=0.2)), IndexError, "frame of the other trace 9 is out of"),
        ("post-norm", StatesPatched(0, make_trace(), 0, [1, 2]), ValueError, "expected one for each of 1 frames"),
        (
            "post-norm",
            StatesPatched(0, make_trace(dataclasses.replace(TINY, encoder_layers=2))),
            ValueError,
            "expected a trace with 4 hidden states of width 24; found 3",
        ),
        ("post-norm", "head off", TypeError, "interventions"),
    ],
)
def test_what_has_no_place_is_refused(kind, intervention, error, words):
    trace = make_trace(VARIANTS[kind])
    for refuse in (trace.what_if, lambda one: wx.trace(trace.model, trace.audio, interventions=one)):
        with pytest.raises(error, match=words):
            refuse([intervention])


def test_a_loaded_trace_can_be_intervened_in_but_hears_nothing_new(tmp_path, tiny_trace):
    loaded = wx.load_trace(tiny_trace.save(tmp_path / "x.safetensors"))
    interventions = [HeadsOff(layers=1, heads=1), AttentionWithin(4)]
    assert torch.equal(loaded.what_if(interventions).output, tiny_trace.what_if(interventions).output)
    with pytest.raises(ValueError, match="without the convolutions that hear"):
        loaded.what_if([FramesHidden(3)])
