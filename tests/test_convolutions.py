"""The convolutions that stand in for a Conv2d, against the hook on the very same and against numpy."""

import numpy as np
import pytest
import torch
from models import make_audio

from wavlm_explorer.convolutions import demonstration_convolutions, noised_convolutions, speech_channels
from wavlm_explorer.modules import quant_noise
from wavlm_explorer.spectrogram import spectrogram


def test_channels_are_the_level_its_change_and_the_change_of_that():
    audio = make_audio(0.5)
    channels = speech_channels(audio).double().numpy()
    decibels = spectrogram(audio).decibels.numpy()  # 257 frequencies, 101 columns
    assert channels.shape == (3, 64, 101)
    first, last = decibels[:5].mean(axis=0), decibels[-5:].mean(axis=0)  # bins of 257 / 64, their ends rounded outwards
    assert np.corrcoef(channels[0, 0], first)[0, 1] == pytest.approx(1, abs=1e-5)
    assert np.corrcoef(channels[0, -1], last)[0, 1] == pytest.approx(1, abs=1e-5)
    for above, below in ((0, 1), (1, 2)):
        change = np.gradient(channels[above], axis=1)
        assert np.allclose(channels[below], (change - change.mean()) / change.std(), atol=1e-3)
    assert np.allclose(channels.mean(axis=(1, 2)), 0, atol=1e-4)
    assert np.allclose(channels.std(axis=(1, 2)), 1, atol=1e-3)


@pytest.mark.parametrize("block_size", [1, 4, 16])
def test_noise_is_that_of_the_hook(block_size):
    """In training both hooks draw from one generator, the 3 x 3 first: the same masks, and the same output."""
    audio, generator = make_audio(0.5), torch.Generator().manual_seed(7)
    kernels, mixing = demonstration_convolutions()
    clean = mixing(kernels(speech_channels(audio)[None]))
    quant_noise(kernels, 0.3, 9, generator).train()
    quant_noise(mixing, 0.3, block_size, generator).train()
    output = mixing(kernels(speech_channels(audio)[None]))
    noised = noised_convolutions(audio, 0.3, block_size, 7)
    assert torch.equal(noised.kernel_mask, kernels.weight == 0)
    assert torch.equal(noised.mixing_mask, mixing.weight == 0)
    assert torch.allclose(noised.before, clean[0, 0], atol=1e-5)
    assert torch.allclose(noised.after, output[0, 0], atol=1e-5)
    assert noised.change == pytest.approx(float((output - clean).norm() / clean.norm()), rel=1e-4)
    assert noised.change > 0


def test_whole_kernels_and_blocks_of_inputs_are_dropped():
    noised = noised_convolutions(make_audio(0.5), 0.4, 4, 1)
    kernels = noised.kernel_mask.flatten(2)
    assert torch.equal(kernels.all(dim=2), kernels.any(dim=2))
    assert 0 < int(kernels.all(dim=2).sum()) < kernels.shape[0] * kernels.shape[1]
    blocks = noised.mixing_mask[:, :, 0, 0].unflatten(1, (-1, 4))
    assert torch.equal(blocks.all(dim=2), blocks.any(dim=2))
    assert 0 < int(blocks.all(dim=2).sum()) < 64


def test_without_chance_nothing_changes():
    noised = noised_convolutions(make_audio(0.5, start=3.0), 0.0, 8, 1)
    assert torch.equal(noised.before, noised.after)
    assert noised.change == noised.kernel_change == 0
    assert (noised.begin, noised.end) == (3.0, 3.5)


@pytest.mark.parametrize("seconds", [0.025, 30.0])
def test_short_and_long_sounds(seconds):
    state = torch.get_rng_state()
    noised = noised_convolutions(make_audio(seconds), 0.5, 8, 0)
    assert noised.before.shape[0] == 64
    assert 1 < noised.before.shape[1] <= 400
    assert torch.isfinite(noised.after).all()
    assert torch.equal(torch.get_rng_state(), state)


def test_the_convolutions_are_always_the_same():
    for one, other in zip(demonstration_convolutions(), demonstration_convolutions(), strict=True):
        assert torch.equal(one.weight, other.weight)
        assert float(one.weight.square().mean() * one.weight[0].numel()) == pytest.approx(1, abs=0.2)
