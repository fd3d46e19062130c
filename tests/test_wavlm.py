"""The model as a whole, against the Microsoft original."""

# ruff: noqa: NPY002 - the original draws from numpy's global generator

import dataclasses

import numpy as np
import pytest
import torch
from oracles import TINY, largest_difference, make_original, model_twins, relative_difference

from wavlm_explorer.config import BASE, LARGE
from wavlm_explorer.wavlm import WavLM

# Torch warns of how the original joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")

PRE_NORM = dataclasses.replace(TINY, layer_norm_first=True, extractor_mode="layer_norm")
VARIANTS = {
    "base": {},
    "large": {"layer_norm_first": True, "extractor_mode": "layer_norm"},
    "pre-norm with a group norm": {"layer_norm_first": True},
    "post-norm with layer norms": {"extractor_mode": "layer_norm"},
    "biased convolutions": {"conv_bias": True},
    "glu": {"activation_fn": "glu"},
    "no gate": {"gru_rel_pos": False},
    "no relative positions": {"relative_position_embedding": False},
    "neither": {"relative_position_embedding": False, "gru_rel_pos": False},
    "no projection": {"conv_feature_layers": "[(24,10,5)] + [(24,3,2)] * 4 + [(24,2,2)] * 2"},
    "other strides": {"conv_feature_layers": "[(8,7,4)] + [(8,3,2)]*2 + [(6,5,3)]"},
    "odd positions": {"conv_pos": 15, "conv_pos_groups": 1},
    "one head": {"encoder_attention_heads": 1, "encoder_layers": 1},
}


def variant(name):
    return dataclasses.replace(TINY, **VARIANTS[name])


@pytest.fixture
def source():
    return torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("config", "num_keys", "num_parameters"), [(BASE, 248, 94_381_936), (LARGE, 488, 315_453_120)])
def test_sizes_of_the_released_models(config, num_keys, num_parameters):
    with torch.device("meta"):
        model = WavLM(config)
    assert len(model.state_dict()) == num_keys
    assert sum(parameter.numel() for parameter in model.parameters()) == num_parameters


@pytest.mark.parametrize("config", [BASE, LARGE], ids=["base", "large"])
def test_three_layers_of_full_width_equal_the_original(config):
    original, ours = model_twins(dataclasses.replace(config, encoder_layers=3), std=0.02)
    source = torch.randn(1, 8000)
    with torch.no_grad():
        _, expected = original.extract_features(source, output_layer=3, ret_layer_results=True)[0]
        _, found = ours.extract_features(source, output_layer=3, ret_layer_results=True)[0]
        assert relative_difference(ours.extract_features(source)[0], original.extract_features(source)[0]) < 1e-5
    assert len(found) == len(expected) == 4
    for mine, theirs in zip(found, expected, strict=True):
        assert relative_difference(mine[0], theirs[0]) < 1e-5


@pytest.mark.parametrize("name", VARIANTS)
def test_same_seed_same_weights(name):
    torch.manual_seed(3)
    expected = make_original(variant(name)).state_dict()
    torch.manual_seed(3)
    found = WavLM(variant(name)).state_dict()
    assert set(found) == set(expected)
    for key in found:
        if "pos_conv.0.weight" in key:  # the same up to the rounding of a norm
            assert largest_difference(found[key], expected[key]) < 1e-6
        else:
            assert torch.equal(found[key], expected[key]), key


@pytest.mark.parametrize("pads", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_equals_the_original(name, pads, source):
    original, ours = model_twins(variant(name))
    padding = torch.arange(8000)[None, :] >= torch.tensor([[8000], [5000]]) if pads else None
    expected, expected_mask = original.extract_features(source, padding)
    found, mask = ours.extract_features(source, padding)
    assert relative_difference(found, expected) < 1e-5
    assert mask is expected_mask is None if not pads else torch.equal(mask, expected_mask)


@pytest.mark.parametrize("config", [TINY, PRE_NORM])
@pytest.mark.parametrize("output_layer", [None, -1, 0, 1, 2, 3, 4])
def test_every_output_layer_equals_the_original(config, output_layer, source):
    original, ours = model_twins(config)
    options = {"output_layer": output_layer, "ret_layer_results": True}
    expected, expected_states = original.extract_features(source, **options)[0]
    found, states = ours.extract_features(source, **options)[0]
    assert relative_difference(found, expected) < 1e-5
    assert torch.equal(found, ours.extract_features(source, output_layer=output_layer)[0])
    assert len(states) == len(expected_states) == {None: 0, 1: 2, 2: 3}.get(output_layer, 4)
    for mine, theirs in zip(states, expected_states, strict=True):
        assert relative_difference(mine[0], theirs[0]) < 1e-5


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("pads", [False, True])
def test_the_encoder_s_input_equals_the_original(mask, pads, source):
    padding = torch.arange(8000)[None, :] >= torch.tensor([[8000], [5000]]) if pads else None
    results = []
    for model in model_twins(dataclasses.replace(TINY, mask_channel_prob=0.5, mask_channel_length=4)):
        np.random.seed(0)
        results.append(model.extract_features(source, padding, mask=mask, ret_conv=True)[0])
    assert relative_difference(results[1], results[0]) < 1e-6
    assert (results[1] == 0).any() == (mask or pads)


@pytest.mark.parametrize("selection", ["static", "uniform", "normal", "poisson"])
@pytest.mark.parametrize("mask_prob", [0.0, 0.65])
def test_masked_frames_equal_the_original(selection, mask_prob, source):
    fields = {"mask_prob": mask_prob, "mask_selection": selection, "mask_other": 3, "mask_length": 4}
    channels = {"mask_channel_prob": 0.4, "mask_channel_selection": selection, "mask_channel_length": 4}
    config = dataclasses.replace(TINY, **fields, **channels)
    results = []
    original, ours = model_twins(config)
    for model in (original, ours):
        np.random.seed(1)
        results.append(model.extract_features(source, mask=True)[0])
    assert relative_difference(results[1], results[0]) < 1e-5
    assert relative_difference(results[1], ours.extract_features(source)[0]) > 1e-3


def test_which_frames_are_masked_is_returned():
    _, ours = model_twins(TINY)
    x = torch.randn(2, 60, 24)
    masked, hidden = ours.apply_mask(x, None)
    assert hidden is not None
    assert hidden.any()
    assert torch.equal(masked[hidden], ours.mask_emb.expand(int(hidden.sum()), -1))
    assert torch.equal(masked[~hidden], x[~hidden])
    _, hidden = WavLM(dataclasses.replace(TINY, mask_prob=0.0)).apply_mask(x, None)
    assert hidden is None


@pytest.mark.parametrize("num_samples", [400, 719, 720, 1000, 5000, 8000, 12345])
def test_padding_masks_over_samples_equal_the_original(num_samples):
    original, ours = model_twins(TINY)
    features = torch.empty(1, TINY.num_frames(num_samples), 24)
    for length in range(0, num_samples + 1, 37):
        padding = torch.arange(num_samples)[None, :] >= length
        found = ours.forward_padding_mask(features, padding)
        assert torch.equal(found, original.forward_padding_mask(features, padding))
        assert torch.equal(ours.forward_padding_mask(features, padding.byte()), found)
        assert torch.equal(ours.forward_padding_mask(features, padding.float()), found)


def test_masks_over_frames_pass_through(source):
    _, ours = model_twins(TINY)
    frames = TINY.num_frames(8000)
    padding = torch.arange(frames)[None, :] >= torch.tensor([[frames], [9]])
    assert torch.equal(ours.extract_features(source, padding)[1], padding)
    wider = torch.cat([padding, padding[:, -1:]], dim=1)
    assert torch.equal(ours.extract_features(source, wider)[1], padding)


@pytest.mark.parametrize("shape", [(2, 23), (2, 0), (1, 8000), (3, 8000), (8000,), (2, 8000, 1)])
def test_masks_that_do_not_fit_are_refused(shape, source):
    original, ours = model_twins(TINY)
    with pytest.raises(ValueError, match=r"padding_mask: expected \[2, samples\]"):
        ours.extract_features(source, torch.zeros(shape, dtype=torch.bool))
    if shape == (2, 23):
        short = original.forward_padding_mask(torch.empty(2, 24, 24), torch.zeros(2, 23, dtype=torch.bool))
        assert short.all()  # the original takes every frame for padding


@pytest.mark.parametrize(
    "source",
    [torch.zeros(8000), torch.zeros(1, 399), torch.zeros(1, 0), torch.zeros(1, 1, 8000), torch.zeros(1, 8000).int()],
    ids=["no batch", "399 samples", "empty", "channels", "integers"],
)
def test_sources_that_do_not_fit_are_refused(source):
    with pytest.raises(ValueError, match=r"source: expected float samples \[batch, samples\]"):
        WavLM(TINY).extract_features(source)


def test_one_frame_is_enough():
    original, ours = model_twins(TINY)
    source = torch.randn(1, 400)
    assert relative_difference(ours.extract_features(source)[0], original.extract_features(source)[0]) < 1e-5


@pytest.mark.parametrize("config", [TINY, PRE_NORM])
def test_a_batch_equals_its_clips_alone(config, source):
    _, ours = model_twins(config)
    whole = ours.extract_features(source)[0]
    for item in range(2):
        assert relative_difference(ours.extract_features(source[item : item + 1])[0], whole[item : item + 1]) < 1e-5


def test_only_the_layer_norm_front_end_ignores_padding(source):
    padding = torch.arange(8000)[None, :] >= torch.tensor([[4880]])
    for config, agrees in ((PRE_NORM, True), (TINY, False)):
        _, ours = model_twins(config)
        alone = ours.extract_features(source[:1, :4880])[0]
        padded, mask = ours.extract_features(source[:1], padding)
        assert alone.shape[1] == (~mask).sum() == 15
        assert (relative_difference(padded[:, :15], alone) < 1e-5) == agrees


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-4), (torch.bfloat16, 0.1)])
def test_other_precisions_work(dtype, tolerance, source):
    _, ours = model_twins(TINY)
    expected = ours.extract_features(source)[0]
    found = ours.to(dtype).extract_features(source.to(dtype), mask=False)[0]
    assert found.dtype == dtype
    assert relative_difference(found.float(), expected) < tolerance
    assert ours.extract_features(source.to(dtype), mask=True)[0].dtype == dtype


def test_masking_works_under_autocast(source):
    original, ours = model_twins(TINY)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = ours.extract_features(source, mask=True)
        with pytest.raises(RuntimeError, match="dtype"):
            original.extract_features(source, mask=True)
    assert found.isfinite().all()


def test_integer_padding_masks_fail_in_the_original(source):
    original, ours = model_twins(TINY)
    padding = (torch.arange(8000)[None, :] >= torch.tensor([[8000], [5000]])).byte()
    with pytest.raises((IndexError, RuntimeError, UserWarning, AssertionError)):
        original.extract_features(source, padding)
    assert ours.extract_features(source, padding)[1].dtype == torch.bool
