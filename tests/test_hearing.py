"""What a frame hears, against what happens when samples are changed."""

import dataclasses

import pytest
import torch
from models import VARIANTS
from oracles import TINY
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.excerpt import can_hear
from wavlm_explorer.hearing import sensitivity


@pytest.mark.parametrize("config", [TINY, VARIANTS["pre-norm"]], ids=["group norm", "layer norm"])
def test_only_the_window_is_heard(config):
    trace = make_trace(config)
    shares, begin = sensitivity(trace, 9)
    inside = torch.zeros(len(shares), dtype=torch.bool)
    inside[9 * 320 - begin : 9 * 320 - begin + 400] = True
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
    assert not shares[~inside].any()
    assert (shares[inside] > 0).all()


def test_a_sample_that_is_said_to_matter_does():
    """In a model whose norms do not see the whole clip, the frame moves most with the sample that has most."""
    config = dataclasses.replace(TINY, extractor_mode="layer_norm")
    trace = make_trace(config)
    extractor = trace.model.feature_extractor
    shares, begin = sensitivity(trace, 9)
    samples = torch.tensor(trace.audio.samples)

    def moved(sample):
        changed = samples.clone()
        changed[sample] += 1e-3
        with torch.no_grad():
            return float((extractor(changed[None]) - extractor(samples[None]))[0, :, 9].norm())

    ranked = shares.argsort(descending=True) + begin
    assert moved(int(ranked[0])) > 3 * moved(int(ranked[390]))
    assert moved(int(ranked[-1])) == 0


def test_the_ends_of_the_clip_are_heard_too():
    trace = make_trace()
    for frame in (0, -1):
        assert float(sensitivity(trace, frame).shares.sum()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(IndexError, match="out of range"):
        sensitivity(trace, 999)


def test_a_trace_from_a_file_cannot_hear(tmp_path):
    trace = make_trace()
    assert can_hear(trace.model)
    saved = wx.load_trace(trace.save(tmp_path / "trace.safetensors"))
    assert not can_hear(saved.model)
    with pytest.raises(ValueError, match="without the convolutions"):
        sensitivity(saved, 0)


def test_a_gentle_hand_leaves_no_trace():
    trace = make_trace()
    sensitivity(trace, 3)
    assert all(parameter.grad is None for parameter in trace.model.parameters())
