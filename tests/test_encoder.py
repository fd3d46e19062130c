"""The transformer, against the original: its layers, positions, LayerDrop and randomness."""

# ruff: noqa: NPY002 - the original draws from numpy's global generator

import dataclasses

import numpy as np
import pytest
import torch
from oracles import TINY, largest_difference, model_twins, original_wavlm, relative_difference

from wavlm_explorer.encoder import TransformerEncoder, WeightNormConv1d

# Torch warns of how the original joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")

PRE_NORM = dataclasses.replace(TINY, layer_norm_first=True)


def encoder_twins(config):
    original, ours = model_twins(config)
    return original.encoder, ours.encoder


@pytest.fixture
def x():
    return torch.randn(2, 30, 24, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel", [1, 2, 15, 16])
def test_the_positional_convolution_equals_torch_s_weight_norm(kernel, x):
    ours = WeightNormConv1d(24, kernel, 4)
    plain = torch.nn.Conv1d(24, 24, kernel, padding=kernel // 2, groups=4)
    with torch.no_grad():
        ours.weight_g.mul_(torch.rand_like(ours.weight_g) + 0.5)
        ours.bias.copy_(torch.randn(24))
    with pytest.warns(FutureWarning, match="weight_norm"):
        plain = torch.nn.utils.weight_norm(plain, dim=2)
    plain.load_state_dict(ours.state_dict())
    assert ours.weight_g.shape == (1, 1, kernel)
    assert largest_difference(ours(x.mT), plain(x.mT)) < 1e-5


@pytest.mark.parametrize("config", [TINY, PRE_NORM])
@pytest.mark.parametrize("layer", [None, -1, 0, 1, 2, 3])
def test_layer_results_equal_the_original(config, layer, x):
    original, ours = encoder_twins(config)
    padding = torch.arange(30)[None, :] >= torch.tensor([[30], [21]])
    expected, expected_results = original(x.clone(), padding_mask=padding, layer=layer)
    found, results = ours(x, padding_mask=padding, layer=layer)
    assert relative_difference(found, expected) < 1e-5
    assert len(results) == len(expected_results)
    for mine, theirs in zip(results, expected_results, strict=True):
        assert relative_difference(mine[0], theirs[0]) < 1e-5
        assert mine[1] is theirs[1] is None


def test_the_input_stays_as_it_was(x):
    _, ours = encoder_twins(TINY)
    before = x.clone()
    ours(x, padding_mask=torch.ones(2, 30, dtype=torch.bool))
    assert torch.equal(x, before)


def test_a_streaming_mask_works(x):
    original, ours = encoder_twins(TINY)
    causal = torch.ones(30, 30, dtype=torch.bool).triu(1)
    with pytest.raises(AssertionError):
        original(x, streaming_mask=causal)
    _, results = ours(x, streaming_mask=causal, layer=2)
    block, position_bias = ours.layers[0], ours.compute_position_bias(20)
    first = results[0][0][:20]
    short = block(first, position_bias, None, causal[:20, :20])
    assert largest_difference(results[1][0][:20], short) < 1e-5


def layerdrop_seed(drops_first):
    """A seed under which the first of three layers is dropped, or only the second, at a layerdrop of 0.5."""
    for seed in range(1000):
        kept = np.random.RandomState(seed).rand(3) > 0.5
        if kept.tolist() == ([False, True, True] if drops_first else [True, False, True]):
            return seed
    raise AssertionError("no such seed")


@pytest.mark.parametrize("config", [TINY, PRE_NORM])
def test_layerdrop_draws_as_the_original(config, x):
    config = dataclasses.replace(config, encoder_layerdrop=0.5)
    outputs = []
    for encoder in encoder_twins(config):
        np.random.seed(layerdrop_seed(drops_first=False))
        torch.manual_seed(0)
        outputs.append(encoder.train()(x, layer=2)[1])
    for theirs, mine in zip(*outputs, strict=True):
        assert relative_difference(mine[0], theirs[0]) < 1e-5
    assert torch.equal(outputs[1][1][0], outputs[1][2][0])


def test_dropping_layer_0_leaves_the_others_their_positions(x):
    config = dataclasses.replace(TINY, encoder_layerdrop=0.5, dropout=0.0, attention_dropout=0.0)
    original, ours = encoder_twins(config)
    outputs = []
    for encoder in (original, ours):
        np.random.seed(layerdrop_seed(drops_first=True))
        outputs.append(encoder.train()(x)[0])
    state = next(ours.eval().states(x))
    bias = ours.compute_position_bias(30)
    expected, without_position = (
        ours.layers[2](ours.layers[1](state, given), given).transpose(0, 1) for given in (bias, None)
    )
    assert relative_difference(outputs[1], expected) < 1e-6
    assert relative_difference(outputs[0], without_position) < 1e-5
    assert relative_difference(outputs[0], expected) > 1e-3


def test_evaluation_draws_no_numbers(x):
    original, ours = encoder_twins(TINY)
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    state = torch.get_rng_state()
    ours(x)
    assert np.random.random() == expected
    assert torch.equal(torch.get_rng_state(), state)
    np.random.seed(1)
    original(x)
    assert np.random.random() != expected


def test_every_dropout_draws_as_the_original(x):
    config = dataclasses.replace(TINY, dropout=0.2, attention_dropout=0.3, activation_dropout=0.4)
    outputs = []
    for encoder in encoder_twins(config):
        torch.manual_seed(5)
        outputs.append(encoder.train()(x)[0])
    assert relative_difference(outputs[1], outputs[0]) < 1e-5


def test_the_layer_s_halves_make_the_layer(x):
    for config in (TINY, PRE_NORM, dataclasses.replace(TINY, activation_fn="glu")):
        layer = TransformerEncoder(config).eval().block(0)
        state = x.transpose(0, 1)
        bias = layer.self_attn.compute_bias(30, 30)
        middle = layer.attend(state, bias)
        assert torch.equal(layer(state, bias), layer.feed_forward(middle))
        if not config.layer_norm_first:
            assert layer.attention_input(state) is state
            assert layer.feed_forward_input(middle) is middle
        else:
            assert torch.equal(layer.attention_input(state), layer.self_attn_layer_norm(state))
            assert torch.equal(layer.feed_forward_input(middle), layer.final_layer_norm(middle))


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_accurate", "tanh", "linear", "glu"])
@pytest.mark.parametrize("is_pre_norm", [False, True])
def test_a_layer_with_every_activation_equals_the_original(activation, is_pre_norm, x):
    config = dataclasses.replace(TINY, activation_fn=activation, layer_norm_first=is_pre_norm)
    original, ours = (encoder.layers[0] for encoder in encoder_twins(config))
    assert isinstance(original, original_wavlm.TransformerSentenceEncoderLayer)
    bias = torch.randn(6, 30, 30)
    expected = original(x.transpose(0, 1), pos_bias=bias)[0]
    assert largest_difference(ours(x.transpose(0, 1), bias), expected) < 1e-5
