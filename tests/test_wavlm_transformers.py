"""The model against a second oracle: the port in `transformers`, whose attentions are head means."""

import dataclasses

import pytest
import torch
from oracles import TINY, largest_difference, randomise, relative_difference
from transformers import WavLMConfig as PortConfig
from transformers import WavLMModel

from wavlm_explorer.checkpoints.huggingface import config_to_huggingface
from wavlm_explorer.checkpoints.layouts import name_in
from wavlm_explorer.wavlm import WavLM

# Torch warns of how the port joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")


def port_twins(config):
    """Ours and the port, with the same random weights, in eval mode."""
    port = WavLMModel(PortConfig(**config_to_huggingface(config))).eval()
    ours = WavLM(config).eval()
    randomise(ours, std=0.1)
    port.load_state_dict({name_in("huggingface", name): tensor for name, tensor in ours.state_dict().items()})
    return ours, port


@pytest.fixture(params=[{}, {"layer_norm_first": True, "extractor_mode": "layer_norm"}], ids=["base", "large"])
def models(request):
    return port_twins(dataclasses.replace(TINY, **request.param))


@pytest.fixture
def source():
    return torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0))


def test_hidden_states_equal_the_port(models, source):
    ours, port = models
    expected = port(source, output_hidden_states=True)
    _, states = ours.extract_features(source, output_layer=3, ret_layer_results=True)[0]
    assert len(states) == len(expected.hidden_states) == 4
    for (mine, _), theirs in zip(states, expected.hidden_states, strict=True):
        assert relative_difference(mine.transpose(0, 1), theirs) < 1e-5
    assert relative_difference(ours.extract_features(source)[0], expected.last_hidden_state) < 1e-5


def test_the_mean_over_heads_is_the_port_s_attention(models, source):
    ours, port = models
    expected = port(source, output_attentions=True).attentions
    _, states = ours.extract_features(source, output_layer=3, ret_layer_results=True)[0]
    bias = ours.encoder.compute_position_bias(states[0][0].shape[0])
    for index, block in enumerate(ours.encoder.layers):
        x = block.attention_input(states[index][0])
        weights = block.self_attn(x, position_bias=bias, need_head_weights=True).weights
        assert largest_difference(weights.mean(0), expected[index][:, 0]) < 1e-5
        assert torch.equal(expected[index][:, 0], expected[index][:, 1])  # the mean in every slot
        assert largest_difference(weights[0], weights[1]) > 1e-2


def test_padded_batches_equal_the_port(models, source):
    ours, port = models
    valid = torch.arange(16_000)[None, :] < torch.tensor([[16_000], [9_680]])
    frames = ours.config.num_frames(9_680)
    found, mask = ours.extract_features(source, ~valid)
    expected = port(source, attention_mask=valid.long()).last_hidden_state
    assert relative_difference(found[0], ours.extract_features(source)[0][0]) < 1e-5
    assert (~mask[1]).sum() == frames
    assert relative_difference(found[1, :frames], expected[1, :frames]) < 1e-5
