"""Noise on a copy: the model stays as it is, and the copy is what a really noised model would be."""

import copy
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from models import VARIANTS, make_audio
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer import noise
from wavlm_explorer.noise import (
    LINEAR_NAMES,
    TABLE_NAME,
    Noise,
    fit_noise,
    noised_pass,
    relative_changes,
    weight_module,
    weight_names,
)


@pytest.mark.parametrize("weight", LINEAR_NAMES)
@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_a_noised_pass_is_a_full_pass_of_a_noised_model(config, weight):
    trace = make_trace(config, 0.6)
    before = digest(trace.model)
    noised = noised_pass(trace, Noise(1, weight, 0.4, 4, 3))
    real = copy.deepcopy(trace.model)
    module = weight_module(real, 1, weight)
    with torch.no_grad():
        module.weight.copy_(module.weight.masked_fill(noised.mask, 0) * (1 / 0.6))
    full = wx.trace(real, trace.audio)
    for ours, theirs in ((noised.trace.hidden_states, full.hidden_states), (noised.trace.output, full.output)):
        assert torch.linalg.vector_norm(ours - theirs) <= 1e-5 * torch.linalg.vector_norm(theirs)
    assert torch.allclose(noised.trace.attention(2), full.attention(2), atol=1e-5)
    assert not torch.equal(noised.trace.hidden_states[2], trace.hidden_states[2])
    assert torch.equal(noised.trace.hidden_states[:2], trace.hidden_states[:2])
    assert noised.trace.normalized == trace.normalized
    assert digest(trace.model) == before


def test_the_twin_shares_all_but_one_tensor():
    trace = make_trace()
    twin = noised_pass(trace, Noise(1, "v_proj", 0.4, 4)).trace.model
    ours, theirs = dict(trace.model.named_parameters()), dict(twin.named_parameters())
    assert list(ours) == list(theirs)
    different = [name for name in ours if ours[name] is not theirs[name]]
    assert different == ["encoder.layers.1.self_attn.v_proj.weight"]
    modules = zip(trace.model.modules(), twin.modules(), strict=True)
    assert all(mine is not other for mine, other in modules)


@pytest.mark.parametrize("weight", LINEAR_NAMES)
def test_no_chance_no_change(weight):
    trace = make_trace()
    noised = noised_pass(trace, Noise(0, weight, 0.0, 8))
    states, output = relative_changes(trace, noised.trace)
    assert not noised.mask.any()
    assert torch.equal(noised.before, noised.after)
    assert float(states.max()) == output == 0


def test_four_threads_leave_the_model_alone_and_get_their_own_noise():
    trace = make_trace(VARIANTS["glu"])
    before = digest(trace.model)
    wanted = [Noise(layer, weight, 0.3, 4, layer) for layer in range(3) for weight in LINEAR_NAMES]
    alone = {one: noised_pass(trace, one).trace.output for one in wanted}
    with ThreadPoolExecutor(4) as pool:
        passes = list(pool.map(lambda one: noised_pass(trace, one), wanted * 3))
    assert len(passes) == 3 * len(wanted)
    for one, noised in zip(wanted * 3, passes, strict=True):
        assert noised.noise == one
        assert torch.allclose(noised.trace.output, alone[one], atol=1e-6)
    assert digest(trace.model) == before
    again = wx.trace(trace.model, trace.audio)
    assert torch.allclose(again.output, trace.output, atol=1e-6)


def test_a_noised_pass_does_not_hold_its_trace():
    trace = make_trace(seconds=0.3)
    noise = Noise(0, "fc1", 0.2, 4)
    assert noised_pass(trace, noise) is noised_pass(trace, noise)
    gone, kept = weakref.ref(trace), weakref.ref(noised_pass(trace, noise))
    del trace
    gc.collect()
    assert gone() is None
    assert kept() is None


def test_the_table_of_position_biases_serves_every_layer():
    trace = make_trace()
    before = digest(trace.model)
    noised = noised_pass(trace, Noise(0, TABLE_NAME, 0.5, 3))
    real = copy.deepcopy(trace.model)
    table = real.encoder.block(0).self_attn.relative_attention_bias
    table.weight.data[noised.mask] = 0
    table.weight.data *= 2
    full = wx.trace(real, trace.audio)
    assert torch.allclose(noised.trace.hidden_states, full.hidden_states, atol=1e-5)
    for layer in range(trace.num_layers):
        assert torch.allclose(noised.trace.attention(layer), full.attention(layer), atol=1e-5)
        assert not torch.allclose(noised.trace.attention(layer), trace.attention(layer), atol=1e-3)
    assert noised.mask.shape == (trace.model.config.num_buckets, trace.num_heads)
    assert torch.equal(noised.mask.all(dim=1), noised.mask.any(dim=1))  # a block is a whole row of 3 heads
    assert digest(trace.model) == before


def test_noise_is_made_to_fit():
    trace = make_trace()
    assert fit_noise(trace.model, 2, "fc2", 0.1, 8, 4) == Noise(2, "fc2", 0.1, 8, 4)
    assert fit_noise(trace.model, 2, TABLE_NAME, 0.1, 8, 4) == Noise(0, TABLE_NAME, 0.1, 1, 4)  # of 3 heads
    assert fit_noise(wx.load_model("nano"), 2, TABLE_NAME, 0.1, 8, 4).block_size == 2  # of 6
    assert weight_names(make_trace(VARIANTS["no positions"], 0.1).model) == LINEAR_NAMES


def test_a_seed_is_a_mask():
    trace = make_trace()
    masks = [noised_pass(trace, Noise(0, "fc1", 0.5, 8, draw)).mask for draw in (0, 1, 0)]
    assert torch.equal(masks[0], masks[2])
    assert not torch.equal(masks[0], masks[1])
    blocks = masks[0].view(40, 3, 8)
    assert torch.equal(blocks.any(dim=-1), blocks.all(dim=-1))
    state = torch.get_rng_state()
    noised_pass(trace, Noise(0, "fc1", 0.5, 8, 9))
    assert torch.equal(torch.get_rng_state(), state)


def test_block_sizes_fit_every_weight():
    trace = make_trace()
    assert noise.block_sizes(trace.model) == (1, 2, 4, 8)  # of 24 and 40
    assert noise.block_sizes(wx.load_model("nano"))[-1] == 16


@pytest.mark.parametrize(
    "wrong",
    [
        Noise(0, "bias", 0.1, 4),
        Noise(0, "fc1", 1.0, 4),
        Noise(0, "fc1", 0.1, 7),
        Noise(0, "fc1", -0.1, 4),
        Noise(1, TABLE_NAME, 0.1, 1),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        noised_pass(make_trace(seconds=0.2), wrong)


def test_a_model_without_positions_has_no_table():
    with pytest.raises(ValueError, match="expected one of q_proj"):
        noised_pass(make_trace(VARIANTS["no positions"], 0.2), Noise(0, TABLE_NAME, 0.1, 1))


def test_a_chunk_that_starts_later_keeps_its_times():
    trace = wx.trace(make_trace().model, make_audio(0.5, start=4.0))
    assert torch.equal(noised_pass(trace, Noise(0, "fc2", 0.1, 4)).trace.frame_times, trace.frame_times)
