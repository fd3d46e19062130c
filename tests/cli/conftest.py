"""Checkpoints that the commands are called with."""

import copy

import pytest
import torch
from models import make_model

import wavlm_explorer as wx


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, a copy whose layer 1 moved, the model in Hugging Face's layout, a broken one, and no model at all."""
    folder = tmp_path_factory.mktemp("cli")
    model = make_model()
    wx.save_model(model, folder / "a.pt")
    wx.save_model(model, folder / "hub")
    moved = copy.deepcopy(model)
    with torch.no_grad():
        moved.get_parameter("encoder.layers.1.fc2.weight").mul_(1.1)
    wx.save_model(moved, folder / "b.pt")
    broken = torch.load(folder / "a.pt", weights_only=True)
    del broken["model"]["encoder.layers.1.fc2.weight"]
    torch.save(broken, folder / "broken.pt")
    (folder / "text.pt").write_text("hello")
    return folder
