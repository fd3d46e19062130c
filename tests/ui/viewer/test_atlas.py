"""The atlas travels true: small maps are those of the largest weights, and numbers are the trace's own."""

import numpy as np
import pytest
import torch
from blocks import unpack
from traces import make_trace

from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.measures import MEASURE_NAMES
from wavlm_explorer.ui.viewer.definitions import DEFINITIONS, definitions_for_browser
from wavlm_explorer.ui.viewer.payloads import make


@pytest.mark.parametrize(("seconds", "factor"), [(0.5, 1), (1.4, 2), (3.0, 3)])
def test_maps_are_the_largest_weights_on_a_square_root_scale(seconds: float, factor: int):
    trace = make_trace(seconds=seconds)
    found = unpack(make(trace, "atlas", {"layer": "1"}))
    weights = torch.stack([max_pool(head, factor) for head in trace.attention(1)]).numpy()
    assert (found["layer"], found["factor"]) == (1, factor)
    assert found["cells"].shape == weights.shape
    assert found["cells"].shape[1] <= 64
    np.testing.assert_allclose(found["cells"] / 255, np.sqrt(weights), atol=0.5 / 255 + 1e-6)


def test_measures_are_those_of_the_trace(any_trace):
    expected = any_trace.measures()
    for layer in range(any_trace.num_layers):
        found = unpack(make(any_trace, "atlas", {"layer": str(layer)}))
        for name in MEASURE_NAMES:
            assert found[name].dtype == np.float32
            np.testing.assert_allclose(found[name], expected[name][layer], rtol=1e-5, atol=1e-7)


def test_a_layer_that_is_not_there_is_refused(tiny_trace):
    with pytest.raises(IndexError, match="layer 9"):
        make(tiny_trace, "atlas", {"layer": "9"})


def test_every_measure_is_defined():
    assert tuple(entry.name for entry in DEFINITIONS) == MEASURE_NAMES
    for entry in definitions_for_browser():
        assert entry["formula"].startswith("<math")
        assert "\\" not in entry["formula"]
        assert entry["sentence"].endswith(".")
        assert entry["source"]
