"""Layers skipped, frames hidden and states patched, against models edited by hand and against the other clip."""

import copy
import dataclasses

import pytest
import torch
from hand import layer_by_hand
from models import VARIANTS, make_audio, make_model
from oracles import relative_difference
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.interventions import FramesHidden, HeadsOff, LayersSkipped, StatesPatched

LAYER = 1
VARIANT = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)


@VARIANT
def test_a_skipped_layer_is_one_taken_out(config):
    trace = make_trace(config)
    real = copy.deepcopy(trace.model)
    del real.encoder.layers[LAYER]
    real.config = dataclasses.replace(config, encoder_layers=config.encoder_layers - 1)
    skipped, theirs = trace.what_if([LayersSkipped(LAYER)]), wx.trace(real, trace.audio)
    assert torch.equal(skipped.hidden_states[LAYER], skipped.hidden_states[LAYER + 1])
    assert torch.equal(skipped.hidden_states[LAYER + 1 :], theirs.hidden_states[LAYER:])
    assert torch.equal(skipped.output, theirs.output)
    assert torch.equal(skipped.attention(LAYER), trace.attention(LAYER))  # what it would have done


@VARIANT
def test_hidden_frames_are_those_of_the_model_s_own_masking(config, monkeypatch):
    model, audio = make_model(config), make_audio()
    ours = wx.trace(model, audio, normalize=False, interventions=[FramesHidden(slice(4, 9))])
    hidden = torch.zeros(1, ours.num_frames, dtype=torch.bool)
    hidden[:, 4:9] = True
    monkeypatch.setattr("wavlm_explorer.wavlm.compute_mask_indices", lambda *_, **__: hidden.numpy())
    real = copy.deepcopy(model)
    real.config = dataclasses.replace(config, mask_prob=0.5, mask_channel_prob=0.0)
    with torch.no_grad():
        features, _ = real.extract_features(torch.tensor(audio.samples)[None], mask=True)
    assert relative_difference(ours.output, features[0]) < 1e-5
    assert not torch.allclose(ours.hidden_states[0], wx.trace(model, audio, False).hidden_states[0])


def test_patching_all_frames_is_the_other_clip(any_trace):
    other = wx.trace(any_trace.model, make_audio(seed=1))
    for state in range(any_trace.num_layers + 1):
        patched = any_trace.what_if([StatesPatched(state, other)])
        assert torch.equal(patched.hidden_states[state:], other.hidden_states[state:])
        assert torch.equal(patched.hidden_states[:state], any_trace.hidden_states[:state])
        assert torch.equal(patched.output, other.output)


def test_patching_some_frames_puts_them_where_they_are_wanted(tiny_trace):
    other = wx.trace(tiny_trace.model, make_audio(0.3, seed=1))
    patched = tiny_trace.what_if([StatesPatched(-2, other, frames=[3, 5], sources=slice(0, 2))])
    expected = tiny_trace.hidden_states[-2].clone()
    expected[[3, 5]] = other.hidden_states[-2, [0, 1]]
    assert torch.equal(patched.hidden_states[-2], expected)
    hand = layer_by_hand(copy.deepcopy(tiny_trace.model), 2, expected.double().numpy())
    assert relative_difference(patched.hidden_states[-1].double(), torch.from_numpy(hand["leaves"])) < 1e-5


def test_a_patch_undoes_what_was_done_below(tiny_trace):
    broken = tiny_trace.what_if([HeadsOff(layers=0)])
    mended = broken.what_if([StatesPatched(2, tiny_trace)])
    assert torch.equal(mended.hidden_states[2:], tiny_trace.hidden_states[2:])
    assert torch.equal(mended.hidden_states[:2], broken.hidden_states[:2])
