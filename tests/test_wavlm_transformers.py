"""The model against a second oracle: the port in `transformers`, whose attentions are head means."""

import dataclasses
import re

import pytest
import torch
from oracles import TINY, largest_difference, randomise, relative_difference
from transformers import WavLMConfig as PortConfig
from transformers import WavLMModel

from wavlm_explorer.wavlm import WavLM

# Torch warns of how the port joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")

RENAMED = [
    (r"^mask_emb$", "masked_spec_embed"),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"^(feature_extractor\.conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"^(feature_extractor\.conv_layers\.\d+)\.2(\.1)?\.", r"\1.layer_norm."),
    (r"\.pos_conv\.0\.weight_g$", ".pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"\.pos_conv\.0\.weight_v$", ".pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"\.pos_conv\.0\.", ".pos_conv_embed.conv."),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.self_attn\.grep_linear\.", ".attention.gru_rel_pos_linear."),
    (r"\.self_attn\.grep_a$", ".attention.gru_rel_pos_const"),
    (r"\.self_attn\.relative_attention_bias\.", ".attention.rel_attn_embed."),
    (r"\.self_attn\.", ".attention."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
]


def port_key(key):
    for pattern, replacement in RENAMED:
        key, count = re.subn(pattern, replacement, key)
        if count:
            break
    return key


def port_twins(config):
    """Ours and the port, with the same random weights, in eval mode."""
    convolutions = config.conv_layers
    port = WavLMModel(
        PortConfig(
            hidden_size=config.encoder_embed_dim,
            intermediate_size=config.encoder_ffn_embed_dim,
            num_hidden_layers=config.encoder_layers,
            num_attention_heads=config.encoder_attention_heads,
            feat_extract_norm="group" if config.extractor_mode == "default" else "layer",
            do_stable_layer_norm=config.layer_norm_first,
            conv_dim=[layer.channels for layer in convolutions],
            conv_kernel=[layer.kernel for layer in convolutions],
            conv_stride=[layer.stride for layer in convolutions],
            conv_bias=config.conv_bias,
            num_conv_pos_embeddings=config.conv_pos,
            num_conv_pos_embedding_groups=config.conv_pos_groups,
            num_buckets=config.num_buckets,
            max_bucket_distance=config.max_distance,
        )
    ).eval()
    ours = WavLM(config).eval()
    randomise(ours, std=0.1)
    port.load_state_dict({port_key(key): tensor for key, tensor in ours.state_dict().items()})
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
