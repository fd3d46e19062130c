"""Converting, there and back, and what is told on the way."""

import dataclasses

import torch
from commands import call
from models import make_model
from oracles import TINY

import wavlm_explorer as wx


def test_convert_there_and_back(files, tmp_path):
    code, output, trouble = call("convert", files / "a.pt", tmp_path / "hub")
    assert code == 0
    assert "read back and equal in every bit" in output
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == [
        "config.json", "model.safetensors", "preprocessor_config.json",
    ]  # fmt: skip
    assert "feature_grad_mult = 1.0" in trouble
    assert call("convert", tmp_path / "hub", tmp_path / "back.pt")[0] == 0
    original, back = (torch.load(path, weights_only=True)["model"] for path in (files / "a.pt", tmp_path / "back.pt"))
    assert original.keys() == back.keys()
    assert all(torch.equal(original[name], back[name]) for name in original)
    assert call("convert", files / "b.pt", tmp_path / "back.pt", "--force")[0] == 0
    assert not torch.equal(
        torch.load(tmp_path / "back.pt", weights_only=True)["model"]["encoder.layers.1.fc2.weight"],
        original["encoder.layers.1.fc2.weight"],
    )


def test_convert_tells_what_is_left_behind_and_what_is_assumed(files, tmp_path):
    state = torch.load(files / "a.pt", weights_only=True)["model"]
    state = {f"wavlm.{name}": tensor.half() for name, tensor in state.items()} | {"lm_head.weight": torch.ones(3, 24)}
    torch.save(state, tmp_path / "bare.pt")
    code, _, trouble = call("convert", tmp_path / "bare.pt", tmp_path / "out.pt", "--set", "max_distance=60")
    assert code == 0
    assert "lm_head.weight" in trouble
    assert "Saved as float32; the file has float16" in trouble
    assert "normalize = " in trouble.partition("Assumed")[2]
    assert "max_distance" not in trouble.partition("Assumed")[2]
    assert torch.load(tmp_path / "out.pt", weights_only=True)["cfg"]["max_distance"] == 60


def test_convert_refuses_what_a_layout_cannot_express(tmp_path):
    wx.save_model(make_model(dataclasses.replace(TINY, activation_fn="glu")), tmp_path / "glu.pt")
    code, _, trouble = call("convert", tmp_path / "glu.pt", tmp_path / "folder")
    assert code == 2
    assert "glu" in trouble
    assert not (tmp_path / "folder").exists()
