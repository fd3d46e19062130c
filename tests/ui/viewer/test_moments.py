"""The block of moments, read as the browser reads it, against the file that comes with the model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from blocks import unpack
from starlette.applications import Starlette
from starlette.testclient import TestClient

import wavlm_explorer as wx
from wavlm_explorer.ui.viewer.moments import moments_digest, moments_payload
from wavlm_explorer.ui.viewer.serving import ROUTES


@pytest.fixture(scope="module")
def block():
    return unpack(moments_payload())


@pytest.fixture(scope="module")
def raw():
    with np.load(Path(wx.__file__).parent / "assets/nano/birth.npz") as arrays:
        return dict(arrays)


def test_cells_and_maxima_are_those_of_the_file(block, raw):
    assert block["cells"].dtype == np.uint8
    for moment, layer, head in ((0, 0, 0), (5, 3, 1), (11, 5, 5)):
        at = (moment * 6 + layer) * 6 + head
        assert np.array_equal(block["cells"][at], raw["maps"][moment, layer, head])
        assert np.array_equal(block["row_max"][at], raw["peaks"][moment, layer, head].astype(np.float32))
    assert block["row_max"].max() > 0.1


def test_numbers_of_all_moments_are_those_of_the_file(block, raw):
    assert (block["moments"], block["layers"], block["heads"]) == raw["gate_mean"].shape == (12, 6, 6)
    for ours, theirs in (("steps", "step"), ("heldout",) * 2, ("stranger",) * 2, ("gate_low",) * 2, ("gate_high",) * 2):
        assert np.allclose(block[ours], raw[theirs].astype(float), rtol=1e-6)
    ranges = raw["gate_high"].astype(float) - raw["gate_low"].astype(float)
    assert np.allclose(block["gate_range"], ranges.mean(axis=(1, 2)), rtol=1e-3)
    middle = (block["bias"].shape[-1] - 1) // 2
    assert np.allclose(block["bias"][:, :, middle], raw["bias"][:, 0].astype(float))  # distance 0 is row 0
    floats = {name: value.dtype for name, value in block.items() if isinstance(value, np.ndarray)}
    assert set(map(str, floats.values())) == {"uint8", "int32", "float32"}  # what payload.js reads


def test_the_clip_and_its_frames(block):
    sample = wx.load_audio(Path(wx.__file__).parent / "assets/clips/sentence.flac", duration=4.0)
    samples = np.frombuffer(block["wav"].tobytes()[44:], "<i2") / 32768
    assert np.allclose(samples, sample.samples, atol=1e-4)
    trace = wx.trace(wx.load_model("nano"), sample)
    assert block["frames"] == trace.num_frames
    assert block["hop_seconds"] == trace.model.config.frame_seconds
    assert block["field_seconds"] == pytest.approx(0.025)
    names = [track["name"] for track in block["labels"]]
    assert names == ["phones", "words"]
    assert all(start < 4.0 for track in block["labels"] for start, _, _ in track["intervals"])


def test_how_many_frames_a_cell_stands_for(block):
    frames, cells = block["frames"], block["cells"].shape[-1]
    ones = torch.eye(frames)[None]  # a frame at a time, pooled as the file's maps were
    counts = torch.nn.functional.adaptive_max_pool2d(ones, (frames, cells))[0].sum(dim=0)
    assert block["cell_frames"] == [counts.min(), counts.max()] == [3, 4]


def test_it_is_served_under_its_own_name_and_may_be_kept():
    with TestClient(Starlette(routes=ROUTES)) as client:
        response = client.get(f"/viewer/moments/{moments_digest()}", headers={"Accept-Encoding": "gzip"})
    assert response.content == moments_payload()
    assert response.headers["Content-Encoding"] == "identity"
    assert "immutable" in response.headers["Cache-Control"]
    assert len(response.content) < 4_000_000
