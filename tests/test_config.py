"""WavLMConfig: the original's fields, the released models, frame arithmetic, and a field that is read, not run."""

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_wavlm

from wavlm_explorer.config import BASE, BASE_PLUS, LARGE, WavLMConfig, parse_conv_layers

LAYERS = st.tuples(st.integers(1, 512), st.integers(1, 20), st.integers(1, 10))


def test_fields_and_defaults_are_the_original_s():
    assert dataclasses.asdict(WavLMConfig()) == vars(original_wavlm.WavLMConfig())


@pytest.mark.parametrize(
    ("config", "layers", "width", "ffn_width", "heads", "mode", "is_pre_norm"),
    [(BASE, 12, 768, 3072, 12, "default", False), (LARGE, 24, 1024, 4096, 16, "layer_norm", True)],
)
def test_the_released_models(config, layers, width, ffn_width, heads, mode, is_pre_norm):
    assert (config.encoder_layers, config.encoder_embed_dim) == (layers, width)
    assert (config.encoder_ffn_embed_dim, config.encoder_attention_heads) == (ffn_width, heads)
    assert (config.extractor_mode, config.layer_norm_first, config.normalize) == (mode, is_pre_norm, is_pre_norm)
    assert (config.relative_position_embedding, config.gru_rel_pos) == (True, True)
    assert (config.num_buckets, config.max_distance) == (320, 800)
    assert (config.conv_pos, config.conv_pos_groups, config.conv_bias) == (128, 16, False)
    assert BASE_PLUS == BASE


def test_a_checkpoint_s_further_fields_are_left_out():
    fields = {"encoder_layers": 3, "label_rate": 50, "task": None, "conv_bias": True}
    assert WavLMConfig.from_dict(fields) == WavLMConfig(encoder_layers=3, conv_bias=True)
    assert WavLMConfig.from_dict(dataclasses.asdict(LARGE)) == LARGE


@pytest.mark.parametrize(
    "fields",
    [
        {"extractor_mode": "group"},
        {"encoder_attention_heads": 7},
        {"encoder_attention_heads": 0},
        {"conv_pos_groups": 5},
        {"conv_pos_groups": 0},
        {"encoder_layers": 0},
        {"conv_feature_layers": "512"},
    ],
)
def test_contradictions_are_refused(fields):
    with pytest.raises(ValueError, match="expected"):
        WavLMConfig(**fields)


def test_a_config_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BASE.max_distance = 1280  # type: ignore[misc]


def test_frames_of_the_released_front_end():
    assert (BASE.hop_samples, BASE.receptive_field_samples, BASE.frame_seconds) == (320, 400, 0.02)
    for num_samples in range(400):
        assert BASE.num_frames(num_samples) == 0
    for num_samples in range(400, 20_000):
        assert BASE.num_frames(num_samples) == (num_samples - 400) // 320 + 1


@given(st.lists(LAYERS, min_size=1, max_size=5))
def test_the_receptive_field_is_what_one_frame_takes(layers):
    config = WavLMConfig(conv_feature_layers=str(layers))
    seen, hop = config.receptive_field_samples, config.hop_samples
    assert [config.num_frames(seen + extra) for extra in (-1, 0, hop - 1, hop, 7 * hop)] == [0, 1, 1, 2, 8]


@given(st.lists(st.tuples(st.lists(LAYERS, min_size=1, max_size=3), st.integers(1, 4)), min_size=1, max_size=4))
def test_sums_and_repetitions_are_read_as_python_would(terms):
    text = " + ".join(f"{layers} * {times}" for layers, times in terms)
    expected = [layer for layers, times in terms for _ in range(times) for layer in layers]
    assert parse_conv_layers(text) == expected
    assert parse_conv_layers(text) == eval(text)


@pytest.mark.parametrize(
    "text",
    ["[(512, 10, 5)]", "[(512,10,5)]+[(8,3,2)]*2", "([(1,2,3)] + [(4,5,6)]) * 2", "[[512, 10, 5]]", "[(1,1,1)] * 64"],
)
def test_plain_lists_are_read(text):
    layers = parse_conv_layers(text)
    assert layers == [tuple(layer) for layer in eval(text)]
    assert layers[0].channels == eval(text)[0][0]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "[(512,10,5)] + __import__('os').listdir('.')",
        "[(512,10,5) for _ in range(10**9)]",
        "[(512,10,5)] * 10**12",
        "[(512,10,5)] * 999999999999999",
        "[(512,10,5)] * 65",
        "[(512,10,5)] * 9 * 9 * 9 * 9 * 9 * 9 * 9 * 9 * 9",
        "[(9**9**9**9, 1, 1)]",
        "[(512,10,5)] * 0",
        "[(512,10,5)] * -1",
        "[(512,10,5)] * 1.5",
        "[(512,10,5)] * True.real",
        "[(512,10,5)] * '2'",
        "[(512,10,5)] - [(1,1,1)]",
        "[(512,10,5)] @ 2",
        "[(512,10)]",
        "[(512,10,5,1)]",
        "[(512,10.0,5)]",
        "[(512,True,5)]",
        "[(512,10,0)]",
        "[(-512,10,5)]",
        "[(99999999,10,5)]",
        "['abc']",
        "[512]",
        "[None]",
        "[]",
        "()",
        "",
        "eval('1')",
        "lambda: 1",
        "x := [(1,1,1)]",
        "[(512,10,5)]; print()",
        "import os",
        "\0",
        "(" * 5000,
        "[" * 5000 + "]" * 5000,
        "-" * 100_000 + "1",
        "+".join(["[(1,1,1)]"] * 20_000),
        "[(1,1,1)]" + " * 1" * 20_000,
        "[(" + "9" * 10_000 + ",1,1)]",
        "[(512,10,5)] * " + "9" * 4000,
    ],
    ids=lambda text: text[:40],
)
def test_code_and_bombs_are_refused_quickly(text):
    begin = time.perf_counter()
    with pytest.raises(ValueError, match="conv_feature_layers: expected lists") as caught:
        parse_conv_layers(text)
    assert time.perf_counter() - begin < 2
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    "text", ["open({!r}, 'w')", "[(512,10,5)] * bool(open({!r}, 'w'))", "[(open({!r}, 'w'), 1, 1)]"]
)
def test_code_is_never_run(text, tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(ValueError, match="conv_feature_layers"):
        parse_conv_layers(text.format(str(trace)))
    assert not trace.exists()


@pytest.mark.parametrize("text", [None, 5, [(512, 10, 5)], {}])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ValueError, match="conv_feature_layers"):
        parse_conv_layers(text)


@given(st.text(alphabet="[](),+*-0123456789 abc_.'\"", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        layers = parse_conv_layers(text)
    except ValueError:
        return
    assert 0 < len(layers) <= 64
