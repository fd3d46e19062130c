"""Live models: what is loaded is exactly what the live model computes with."""

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import make_original, randomise, relative_difference
from transformers import WavLMConfig, WavLMForCTC, WavLMModel

import wavlm_explorer as wx
from wavlm_explorer.checkpoints.huggingface import config_to_huggingface


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_original(variant):
    config, audio = VARIANTS[variant], make_audio()
    original = make_original(config).eval()
    randomise(original, std=0.05)
    model = wx.load_model(original)
    assert model.config == config
    assert set(model.source.fields.values()) == {"read"}
    with torch.no_grad():
        expected = original.extract_features(torch.tensor(audio.samples)[None])[0][0]
    assert relative_difference(wx.trace(model, audio, normalize=False).output, expected) < 1e-5


@pytest.mark.parametrize("kind", [WavLMModel, WavLMForCTC])
@pytest.mark.parametrize("variant", ["post-norm", "pre-norm"])
def test_the_port(kind, variant):
    port = kind(WavLMConfig(**config_to_huggingface(VARIANTS[variant]))).eval()
    randomise(port, std=0.05)
    model, audio = wx.load_model(port), make_audio()
    encoder = port if kind is WavLMModel else port.wavlm
    with torch.no_grad():
        expected = encoder(torch.tensor(audio.samples)[None]).last_hidden_state[0]
    assert relative_difference(wx.trace(model, audio, normalize=False).output, expected) < 1e-5
    assert model.source.name == f"a live {kind.__name__}"


def test_what_is_loaded_is_a_copy_of_this_moment():
    live = make_original(VARIANTS["post-norm"])
    model = wx.load_model(live)
    before = model.mask_emb.clone()
    with torch.no_grad():
        live.mask_emb += 1
    assert torch.equal(model.mask_emb, before)
    assert not torch.equal(wx.load_model(live).mask_emb, before)


def test_half_precision_wrapped_and_in_training():
    live = torch.nn.DataParallel(make_original(VARIANTS["post-norm"]).train().to(torch.bfloat16))
    model = wx.load_model(live)
    assert model.config == VARIANTS["post-norm"]
    assert not model.training
    assert live.training
    assert model.mask_emb.dtype == torch.float32


def test_our_own():
    model = make_model()
    again = wx.load_model(model)
    assert again is not model
    assert again.config == model.config
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_weights_that_are_not_there_yet():
    with torch.device("meta"):
        empty = wx.WavLM(VARIANTS["post-norm"])
    with pytest.raises(wx.CheckpointError, match="lie on the meta device"):
        wx.load_model(empty)


def test_no_wavlm():
    with pytest.raises(wx.CheckpointError, match="No tensors of a WavLM were recognised in a live Linear"):
        wx.load_model(torch.nn.Linear(2, 3))
