"""Saving: other implementations load what we save, and it comes back bit for bit."""

import dataclasses
from typing import Any, cast

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import make_original, original_wavlm, relative_difference
from transformers import AutoConfig, Wav2Vec2FeatureExtractor, WavLMModel

import wavlm_explorer as wx


def assert_same(model, again):
    assert again.config == model.config
    state = again.state_dict()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_original_loads_what_we_save(variant, tmp_path):
    model = make_model(VARIANTS[variant])
    path = wx.save_model(model, tmp_path / "saved.pt")
    content = torch.load(path, weights_only=True)
    assert dataclasses.asdict(model.config) == vars(original_wavlm.WavLMConfig(content["cfg"]))
    make_original(model.config).load_state_dict(content["model"])
    assert_same(model, wx.load_model(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("variant", ["post-norm", "pre-norm"])
def test_the_port_loads_what_we_save(variant, tmp_path):
    config = dataclasses.replace(VARIANTS[variant], feature_grad_mult=1.0)
    model, audio = make_model(config), make_audio()
    folder = wx.save_model(model, tmp_path / "saved")
    port, report = cast(Any, WavLMModel.from_pretrained(folder, output_loading_info=True))
    assert not any(report.values()), report
    with torch.no_grad():
        expected = port.eval()(torch.tensor(audio.samples)[None]).last_hidden_state[0]
    assert relative_difference(wx.trace(model, audio, normalize=False).output, expected) < 1e-5
    assert AutoConfig.from_pretrained(folder).max_bucket_distance == config.max_distance
    assert Wav2Vec2FeatureExtractor.from_pretrained(folder).do_normalize == config.normalize
    again = wx.load_model(folder)
    assert again.source.fields["normalize"] == "read"
    assert_same(model, wx.load_model(wx.save_model(again, tmp_path / "again.pt", "microsoft"), **training_only(config)))


def training_only(config) -> dict:
    """Fields that Hugging Face's config does not have, and that no forward pass reads."""
    return {name: getattr(config, name) for name in ("feature_grad_mult", "dropout_features")}


def test_what_the_port_cannot_express(tmp_path):
    for variant, field in (("glu", "activation_fn='glu'"), ("no gate", "gru_rel_pos=False")):
        with pytest.raises(ValueError, match=f"has no equal of .*{field}"):
            wx.save_model(make_model(VARIANTS[variant]), tmp_path / "folder")
        assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="expected 'microsoft' or 'huggingface'; found 'onnx'"):
        wx.save_model(make_model(), tmp_path / "model", "onnx")  # type: ignore[arg-type]


def test_a_file_that_is_there_survives_a_failed_save(tmp_path, monkeypatch):
    path = wx.save_model(make_model(seed=1), tmp_path / "model.pt")
    before = path.read_bytes()

    def fail(content, file):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        wx.save_model(make_model(seed=2), path)
    assert path.read_bytes() == before
