"""The model as it learns, against the original: gradients, and the same random numbers in the same places."""

# ruff: noqa: NPY002 - the original draws from numpy's global generator

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from oracles import TINY, largest_difference, model_twins, relative_difference

from wavlm_explorer.wavlm import WavLM

NOISY = dataclasses.replace(
    TINY, dropout=0.1, attention_dropout=0.2, activation_dropout=0.1, dropout_input=0.3, encoder_layerdrop=0.3
)


def source():
    return torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))


def gradients(model, **options) -> dict[str, Any]:
    np.random.seed(3)  # with which no layer 0 is dropped
    torch.manual_seed(3)
    model.zero_grad(set_to_none=True)
    model.extract_features(source(), **options)[0].square().mean().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("layer_norm_first", [False, True])
@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0])
def test_gradients_equal_the_original(scale, layer_norm_first):
    config = dataclasses.replace(TINY, feature_grad_mult=scale, layer_norm_first=layer_norm_first)
    expected, found = (gradients(model) for model in model_twins(config))
    assert set(found) == set(expected)
    largest = max(float(gradient.abs().max()) for gradient in expected.values() if gradient is not None)
    for name, theirs in expected.items():
        assert (found[name] is None) == (theirs is None), name
        if theirs is not None:
            assert largest_difference(found[name], theirs) < 1e-5 * largest, name
    assert (found["feature_extractor.conv_layers.0.0.weight"] is None) == (scale == 0)


def test_the_front_end_s_gradient_is_scaled():
    results = {}
    for scale in (0.1, 1.0):
        _, ours = model_twins(dataclasses.replace(TINY, feature_grad_mult=scale))
        results[scale] = gradients(ours)
    for name, gradient in results[1.0].items():
        if gradient is not None:
            expected = gradient * (0.1 if name.startswith("feature_extractor") else 1)
            torch.testing.assert_close(results[0.1][name], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("mask", [False, True])
def test_the_same_seeds_give_the_original_s_training_step(mask):
    original, ours = (model.train() for model in model_twins(NOISY))
    expected, found = (gradients(model, mask=mask) for model in (original, ours))
    for name, theirs in expected.items():
        if theirs is not None:
            assert relative_difference(found[name], theirs) < 1e-3 or largest_difference(found[name], theirs) < 1e-6
    np.random.seed(3)
    torch.manual_seed(3)
    features = original.extract_features(source(), mask=mask)[0]
    np.random.seed(3)
    torch.manual_seed(3)
    assert relative_difference(ours.extract_features(source(), mask=mask)[0], features) < 1e-5


def test_training_is_determined_by_its_seeds():
    torch.manual_seed(0)
    model, outputs = WavLM(NOISY).train(), []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        torch.manual_seed(seed)
        outputs.append(model.extract_features(source(), mask=True)[0])
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_every_parameter_but_the_mask_learns():
    _, ours = model_twins(TINY)
    without = {name for name, gradient in gradients(ours).items() if gradient is None}
    assert without == {"mask_emb"}
    assert gradients(ours, mask=True)["mask_emb"].any()


def test_no_gradient_mode_stays_off():
    _, ours = model_twins(TINY)
    with torch.no_grad():
        assert not ours.extract_features(source())[0].requires_grad
