"""The atlas travels true: small maps keep a line of one frame's width, and numbers are the trace's own."""

import numpy as np
import pytest
import torch
from blocks import unpack
from traces import make_trace

from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.measures import MEASURE_NAMES
from wavlm_explorer.tracing import Trace
from wavlm_explorer.ui.viewer import atlas
from wavlm_explorer.ui.viewer.definitions import DEFINITIONS, definitions_for_browser
from wavlm_explorer.ui.viewer.payloads import make


@pytest.mark.parametrize(("cells", "factor"), [(64, 1), (13, 3), (10, 4)])
def test_thumbnails_are_the_largest_weights_on_a_square_root_scale(any_trace, monkeypatch, cells: int, factor: int):
    monkeypatch.setattr(atlas, "CELLS", cells)
    assert any_trace.num_frames == 39
    found = unpack(make(any_trace, "thumbnails", {"layer": "1"}))
    weights = torch.stack([max_pool(head, factor) for head in any_trace.attention(1)]).numpy()
    assert (found["layer"], found["factor"]) == (1, factor)
    assert found["cells"].shape == weights.shape
    np.testing.assert_allclose(found["cells"] / 255, np.sqrt(weights), atol=0.5 / 255 + 1e-6)


def test_a_line_of_one_frame_survives(monkeypatch):
    trace = make_trace(seconds=3.0)
    frames = trace.num_frames
    shifted = torch.eye(frames).roll(1, 0).expand(trace.num_heads, -1, -1)
    monkeypatch.setattr(Trace, "attention", lambda self, layer: shifted)
    found = unpack(atlas.thumbnails_payload(trace, 0))
    assert found["factor"] == 3
    assert found["cells"].shape[1] <= 64
    assert (found["cells"].max(axis=-1) == 255).all()
    assert (found["cells"] == 255).mean() < 0.05


def test_measures_are_those_of_the_trace(any_trace):
    expected = any_trace.measures()
    for layer in range(any_trace.num_layers):
        found = unpack(make(any_trace, "measures", {"layer": str(layer)}))
        assert found.pop("layer") == layer
        assert tuple(found) == MEASURE_NAMES
        for name, numbers in found.items():
            np.testing.assert_allclose(numbers, expected[name][layer], rtol=1e-5, atol=1e-7)


def test_a_layer_that_is_not_there_is_refused(tiny_trace):
    for what in ("thumbnails", "measures"):
        with pytest.raises(IndexError, match="layer 9"):
            make(tiny_trace, what, {"layer": "9"})


def test_every_measure_is_defined():
    assert tuple(entry.name for entry in DEFINITIONS) == MEASURE_NAMES
    for entry in definitions_for_browser():
        assert entry["formula"].startswith("<math")
        assert "\\" not in entry["formula"]
        assert entry["sentence"].endswith(".")
        assert entry["source"]
