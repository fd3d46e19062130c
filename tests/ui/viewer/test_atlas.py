"""The atlas travels true: small maps are those of the largest weights, and numbers are the trace's own."""

import threading

import numpy as np
import pytest
import torch
from blocks import unpack
from traces import make_trace

from wavlm_explorer import capacity
from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.layer_attention import LayerAttention
from wavlm_explorer.measures import MEASURE_NAMES
from wavlm_explorer.tracing import Trace
from wavlm_explorer.ui.viewer import atlas
from wavlm_explorer.ui.viewer.atlas import is_comfortable, prepare_atlas
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


def threads_of_the_atlas() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "atlas"]


def test_the_atlas_is_begun_before_it_is_asked_for():
    trace = make_trace(seconds=0.5)
    prepare_atlas(trace, layer=1)
    for thread in threads_of_the_atlas():
        thread.join()
    assert list(trace._summaries) == [1, 0, 2]
    prepare_atlas(trace, layer=2)
    assert threads_of_the_atlas() == []


def test_an_atlas_that_would_take_long_waits_to_be_asked_for(monkeypatch):
    trace = make_trace(seconds=0.5)
    monkeypatch.setattr(capacity, "COMFORTABLE", 100)
    assert not is_comfortable(trace)
    prepare_atlas(trace, layer=1)
    assert threads_of_the_atlas() == []


def test_the_atlas_of_a_trace_that_has_gone_is_given_up(monkeypatch):
    summarized = []
    find = iter([make_trace(seconds=0.5), None])
    monkeypatch.setattr(Trace, "layer_summary", lambda _, layer: summarized.append(layer))
    atlas._summarize(lambda: next(find), [1, 0, 2])
    assert summarized == [1]


def test_two_who_ask_for_a_layer_share_the_work(monkeypatch):
    trace, computed = make_trace(seconds=0.5), []
    summary = LayerAttention.summary
    monkeypatch.setattr(LayerAttention, "summary", lambda *args: computed.append(1) or summary(*args))
    threads = [threading.Thread(target=trace.layer_summary, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert computed == [1]
