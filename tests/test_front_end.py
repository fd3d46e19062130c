"""The convolutions, against the original, and the frames that they make."""

import pytest
import torch
from oracles import NARROW_CONVOLUTIONS, largest_difference, original_wavlm, randomise

from wavlm_explorer.config import BASE, parse_conv_layers
from wavlm_explorer.front_end import ConvFeatureExtractionModel

LAYERS = parse_conv_layers(NARROW_CONVOLUTIONS)


@pytest.mark.parametrize("conv_bias", [False, True])
@pytest.mark.parametrize("mode", ["default", "layer_norm"])
def test_both_modes_equal_the_original(mode, conv_bias):
    models = []
    for source in (original_wavlm.ConvFeatureExtractionModel, ConvFeatureExtractionModel):
        torch.manual_seed(0)
        models.append(source(LAYERS, dropout=0.25, mode=mode, conv_bias=conv_bias))
    states = [model.state_dict() for model in models]
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    source = torch.randn(2, 4000)
    for training in (True, False):
        outputs = []
        for model in models:
            randomise(model)
            torch.manual_seed(1)
            outputs.append(model.train(training)(source))
        assert outputs[1].shape == (2, 8, 12)
        assert largest_difference(outputs[1], outputs[0]) < 1e-5


def test_the_number_of_frames_of_every_length():
    front_end = ConvFeatureExtractionModel([(1, kernel, stride) for _, kernel, stride in LAYERS]).eval()
    with torch.no_grad():
        for num_samples in range(400, 5001):
            assert front_end(torch.zeros(1, num_samples)).shape[-1] == BASE.num_frames(num_samples)


@pytest.mark.parametrize("num_samples", [0, 1, 399])
def test_less_than_one_frame_is_an_error(num_samples):
    with pytest.raises(RuntimeError, match=r"[Kk]ernel size"):
        ConvFeatureExtractionModel(LAYERS)(torch.zeros(1, num_samples))


def test_frames_of_the_layer_norm_mode_see_400_samples():
    front_end = ConvFeatureExtractionModel(LAYERS, mode="layer_norm").eval()
    source = torch.randn(1, 2000)
    whole = front_end(source)
    for frame in range(whole.shape[-1]):
        alone = front_end(source[:, 320 * frame : 320 * frame + 400])
        assert largest_difference(alone, whole[..., frame : frame + 1]) < 1e-5


def test_the_group_norm_sees_the_whole_clip():
    front_end = ConvFeatureExtractionModel(LAYERS).eval()
    source = torch.randn(1, 2000)
    padded = torch.cat([source, torch.zeros(1, 2000)], dim=1)
    assert largest_difference(front_end(padded)[..., :6], front_end(source)) > 1e-3


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="mode: expected 'default' or 'layer_norm'; found 'batch'"):
        ConvFeatureExtractionModel(LAYERS, mode="batch")
    with pytest.raises(AssertionError):
        original_wavlm.ConvFeatureExtractionModel(LAYERS, mode="batch")


def test_two_dimensional_convolutions_are_left_out():
    with pytest.raises(TypeError, match="conv_type"):
        ConvFeatureExtractionModel(LAYERS, conv_type="conv2d")  # type: ignore[call-arg]
