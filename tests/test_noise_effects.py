"""What noise does to attention, against maps taken whole; and each layer's turn, against models edited by hand."""

import copy
import dataclasses

import pytest
import torch
from models import VARIANTS
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer import effects
from wavlm_explorer.effects import attention_change
from wavlm_explorer.noise import LINEAR_NAMES, TABLE_NAME, Noise, noised_pass, weight_module
from wavlm_explorer.noise_effects import attention_moved, known_layer_sweep, layer_sweep, sweep_operations
from wavlm_explorer.pooling import max_pool

NOISE = Noise(1, "q_proj", 0.4, 4, 3)


@pytest.mark.parametrize(("cells", "num_rows"), [(400, 1000), (400, 1), (10, 1000), (10, 5)])
def test_maps_of_any_size_are_those_of_the_whole(cells, num_rows, monkeypatch):
    monkeypatch.setattr(effects, "rows_at_once", lambda *_: num_rows)
    trace = make_trace(seconds=0.8)
    noised = noised_pass(trace, NOISE).trace
    change = attention_change(trace, noised, 1, 2, cells)
    before, after = trace.attention(1, 2)[0], noised.attention(1, 2)[0]
    factor = 1 if cells == 400 else 4  # of 39 frames
    for ours, whole in ((change.before, before), (change.after, after), (change.difference, after - before)):
        assert torch.allclose(ours, max_pool(whole, factor), atol=1e-6)
    assert len(change.before) == (39 if cells == 400 else 10)
    assert change.moved == pytest.approx(float((after - before).abs().sum(dim=1).mean() / 2), rel=1e-4)
    assert change.largest == pytest.approx(float((after - before).abs().max()), rel=1e-4)
    assert 0 < change.moved < 1
    assert (change.layer, change.head) == (1, 2)


@pytest.mark.parametrize("seconds", [0.5, 2.7])  # 24 frames, all of them; 134, every second
@pytest.mark.parametrize("weight", ["k_proj", "v_proj"])
def test_what_moves_is_half_of_what_differs(weight, seconds):
    trace = make_trace(seconds=seconds)
    noise = dataclasses.replace(NOISE, weight=weight)
    noised = noised_pass(trace, noise).trace
    moved = attention_moved(trace, noise)
    assert moved.shape == (3, 3)
    every = 1 if seconds == 0.5 else 2
    for layer in range(3):
        rows = (noised.attention(layer) - trace.attention(layer))[:, ::every]
        assert torch.allclose(moved[layer], rows.abs().sum(dim=2).mean(dim=1) / 2, atol=1e-6)
    first = 1 if weight == "k_proj" else 2  # the values of a layer do not change where it looks
    assert not moved[:first].any()
    assert (moved[first:] > 0).all()
    assert float(moved.max()) <= 1


def test_every_layer_has_its_turn():
    trace = make_trace(VARIANTS["glu"])
    before, noise = digest(trace.model), Noise(0, "fc1", 0.4, 4, 2)
    changes = layer_sweep(trace, noise)
    for layer, change in enumerate(changes):
        real = copy.deepcopy(trace.model)
        weight = weight_module(real, layer, "fc1").weight
        weight.data = weight.data.masked_fill(noised_pass(trace, noise).mask, 0) / 0.6
        output = wx.trace(real, trace.audio).output
        assert float(change) == pytest.approx(float((output - trace.output).norm() / trace.output.norm()), rel=1e-3)
    assert len(set(changes.tolist())) == trace.num_layers
    assert layer_sweep(trace, noise) is changes
    assert digest(trace.model) == before


def test_a_sweep_tells_how_far_it_is_and_ends_when_it_is_told_to():
    trace, noise, shares = make_trace(seconds=0.3), Noise(1, "fc1", 0.4, 4, 2), []

    def stop(share):
        if share > 0.4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        layer_sweep(trace, noise, stop)
    assert known_layer_sweep(trace, noise) is None
    changes = layer_sweep(trace, noise, shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, pytest.approx(1))
    assert len(shares) == (3 + 1) + (2 + 1) + (1 + 1)  # before the first layer that runs, and behind each
    assert known_layer_sweep(trace, dataclasses.replace(noise, layer=2)) is changes
    assert known_layer_sweep(trace, dataclasses.replace(noise, draw=3)) is None


def test_a_table_has_no_turns():
    with pytest.raises(ValueError, match=f"expected one of {LINEAR_NAMES[0]}"):
        layer_sweep(make_trace(seconds=0.1), Noise(0, TABLE_NAME, 0.4, 1))


def test_the_work_of_a_sweep_grows_with_the_square_of_the_layers():
    nano = wx.trace(wx.load_model("nano"), make_trace(seconds=0.5).audio)
    deep = make_trace(dataclasses.replace(VARIANTS["post-norm"], encoder_layers=6))
    assert sweep_operations(deep) == 21 * sweep_operations(make_trace(VARIANTS["post-norm"])) // 6
    assert sweep_operations(nano) > sweep_operations(deep)
