"""A change as the viewer fetches it: both passes, and what differs between them recomputed from the attention."""

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from blocks import unpack
from models import make_audio, make_model
from oracles import TINY
from traces import make_trace

from wavlm_explorer.effects import state_changes
from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.interventions import FramesHidden, HeadsOff, Intervention, PositionOff
from wavlm_explorer.tracing import Trace, trace
from wavlm_explorer.ui.viewer import change as module
from wavlm_explorer.ui.viewer.atlas import prepare_atlas
from wavlm_explorer.ui.viewer.change import Change
from wavlm_explorer.ui.viewer.payloads import make
from wavlm_explorer.ui.viewer.serving import offer


def make_change(before: Trace, *interventions: Intervention) -> Change:
    return Change(before, before.what_if(interventions or [HeadsOff(layers=0, heads=1)]))


def fetch(shown: Trace | Change, what: str, **wanted: int) -> dict:
    return unpack(make(shown, what, {name: str(number) for name, number in wanted.items()}))


@pytest.fixture
def change() -> Change:
    return make_change(make_trace(seconds=0.8))


def test_what_is_asked_of_a_trace_is_that_of_the_pass_under_interventions(change):
    before = make(change.before, "layer", {"layer": "2"})
    assert make(change, "layer", {"layer": "2"}) == make(change.after, "layer", {"layer": "2"}) != before


def test_the_untouched_pass_is_served_bit_for_bit_as_if_nobody_had_changed_anything(change):
    alone = trace(change.before.model, change.before.audio)
    for what, wanted in (("layer", {"layer": "1"}), ("atlas", {"layer": "2"}), ("sound", {})):
        make(change, what, wanted)
        assert make(change.before, what, wanted) == make(alone, what, wanted)


def test_every_state_is_compared_frame_by_frame(any_trace):
    change = make_change(any_trace)
    relative = fetch(change, "over_time")["relative"]
    assert relative.shape == (any_trace.num_layers + 2, any_trace.num_frames)
    before, after = (trace.hidden_states[2].numpy() for trace in (change.before, change.after))
    expected = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    np.testing.assert_allclose(relative[2], expected, rtol=1e-4)
    assert not relative[0].any()
    np.testing.assert_array_equal(relative, state_changes(change.before, change.after).relative)


@pytest.mark.parametrize("rows", [4, 1000])
def test_heads_that_moved_are_told_with_a_small_map(any_trace, monkeypatch, rows):
    monkeypatch.setattr("wavlm_explorer.effects.rows_at_once", lambda *_: rows)
    monkeypatch.setattr(module, "THUMBNAIL_CELLS", 12)
    change = make_change(any_trace)
    found = fetch(change, "moved", layer=1)
    difference = change.after.attention(1) - change.before.attention(1)
    factor = -(-any_trace.num_frames // 12)
    assert found["factor"] == factor > 1
    pooled = torch.stack([max_pool(one, factor) for one in difference]).numpy()
    assert found["cells"].dtype == np.int8
    assert found["reach"] == pytest.approx(np.abs(pooled).max(), rel=1e-5)
    roots = np.sign(pooled) * np.sqrt(np.abs(pooled) / found["reach"])
    np.testing.assert_allclose(found["cells"] / 127, roots, atol=0.5 / 127 + 1e-6)
    np.testing.assert_allclose(found["moved"], difference.abs().sum(-1).mean(-1) / 2, rtol=1e-4)


def test_a_short_window_of_the_difference_is_exact(change):
    found = fetch(change, "difference", layer=2, head=1, start=5, stop=21)
    rows = slice(5, 21)
    expected = change.after.attention(2, 1, rows)[0, :, rows] - change.before.attention(2, 1, rows)[0, :, rows]
    assert found["signed"] is True
    assert [found[name] for name in ("layer", "head", "from", "to", "factor")] == [2, 1, 5, 21, 1]
    np.testing.assert_array_equal(found["weights"], expected)
    assert found["weights"].min() < 0 < found["weights"].max()


def test_a_longer_window_is_a_byte_a_cell_and_a_long_one_is_pooled(change, monkeypatch):
    monkeypatch.setattr(module, "EXACT_CELLS", 8)
    monkeypatch.setattr(module, "WINDOW_CELLS", 10)
    monkeypatch.setattr("wavlm_explorer.effects.rows_at_once", lambda *_: 7)
    found = fetch(change, "difference", layer=1, head=2, start=3, stop=23)
    difference = (change.after.attention(1, 2) - change.before.attention(1, 2))[0, 3:23, 3:23]
    pooled = max_pool(difference, 2).numpy()
    assert (found["factor"], found["cells"].dtype) == (2, np.int8)
    read = found["cells"][0] * found["row_max"][0][:, None] / 127
    assert (np.abs(read - pooled) <= np.abs(pooled).max(-1, keepdims=True) / 254 * 1.001).all()


def test_a_model_of_nan_is_told_in_json_all_the_same():
    model = make_model(TINY)
    with torch.no_grad():
        model.encoder.block(0).fc2.weight.fill_(torch.nan)
    found = fetch(make_change(trace(model, make_audio(0.5))), "moved", layer=1)
    assert found["reach"] == 0
    assert np.isnan(found["moved"]).all()


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (7, 3), (0, 10_000)])
def test_a_window_that_is_not_in_the_clip_is_refused(change, start, stop):
    with pytest.raises(ValueError, match=f"found {start} to {stop}"):
        fetch(change, "difference", layer=0, head=0, start=start, stop=stop)


def test_what_only_a_change_has_is_not_asked_of_a_trace(change):
    with pytest.raises(KeyError, match="moved"):
        fetch(change.before, "moved", layer=0)
    with pytest.raises(IndexError, match="layer 9"):
        fetch(change, "moved", layer=9)


def test_hidden_frames_are_told_in_stretches():
    before = make_trace(seconds=0.5)
    last = before.num_frames - 1
    assert make_change(before).hidden_spans() == []
    change = make_change(before, FramesHidden(slice(3, 6)), FramesHidden([5, 6, 9, last]), PositionOff())
    assert change.hidden_spans() == [(3, 7), (9, 10), (last, last + 1)]
    assert make_change(before, FramesHidden(None)).hidden_spans() == [(0, last + 1)]


def test_the_head_that_moves_most_is_found(change):
    moved = torch.stack(
        [(change.after.attention(layer) - change.before.attention(layer)).abs().sum(-1).mean(-1) for layer in range(3)]
    )
    layer, head = change.moves_most()
    assert moved[layer, head] == moved.max() > 0


def test_the_atlas_of_a_change_is_begun_and_remembered(change, monkeypatch):
    prepare_atlas(change, layer=1)
    for thread in threading.enumerate():
        if thread.name == "atlas":
            thread.join()
    monkeypatch.setattr(module, "head_changes", lambda *_: pytest.fail("computed again"))
    for layer in range(3):
        fetch(change, "moved", layer=layer)
    assert list(change.after._summaries) == [1, 0, 2]


def test_a_change_is_offered_under_a_token_of_its_own_and_kept_by_nobody_else():
    before = make_trace(seconds=0.5)
    change = make_change(before)
    assert len({offer(before), offer(change), offer(make_change(before))}) == 3
    gone = [weakref.ref(change), weakref.ref(change.after)]
    del change
    gc.collect()
    assert [one() for one in gone] == [None, None]
