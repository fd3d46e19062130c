"""Reading checkpoints of every layout and wrapping: each tensor accounted for, each field's origin told."""

import argparse
import collections
import dataclasses

import pytest
import torch
from models import VARIANTS, make_audio
from oracles import TINY, make_original, randomise, relative_difference
from transformers import (
    WavLMConfig,
    WavLMForAudioFrameClassification,
    WavLMForCTC,
    WavLMForSequenceClassification,
    WavLMForXVector,
    WavLMModel,
)

import wavlm_explorer as wx
from wavlm_explorer.checkpoints import read_checkpoint
from wavlm_explorer.checkpoints.contents import Contents
from wavlm_explorer.checkpoints.huggingface import config_to_huggingface

PORTS = [WavLMModel, WavLMForCTC, WavLMForSequenceClassification, WavLMForAudioFrameClassification, WavLMForXVector]


def original_state(config=TINY):
    original = make_original(config)
    randomise(original, std=0.05)
    return original.state_dict()


def num_tensors(value) -> int:
    if isinstance(value, torch.Tensor):
        return 1
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return sum(map(num_tensors, children))


def accounted(checkpoint) -> int:
    account = checkpoint.account
    names = {name for origin in account.used.values() for name in origin}
    return len(names) + len(account.ignored) + len(account.unexpected)


@pytest.mark.parametrize("variant", ["post-norm", "pre-norm"])
@pytest.mark.parametrize("kind", PORTS)
def test_the_port_s_folders_give_the_port_s_numbers(kind, variant, tmp_path):
    config = config_to_huggingface(VARIANTS[variant])
    small = {"tdnn_dim": (8, 8, 8, 8, 8), "xvector_output_dim": 8, "classifier_proj_size": 8}
    port = kind(WavLMConfig(**config, **small)).eval()
    randomise(port, std=0.05)
    port.save_pretrained(tmp_path / "folder")
    checkpoint = read_checkpoint(tmp_path / "folder")
    assert checkpoint.layout == "huggingface"
    assert checkpoint.prefix == ("" if kind is WavLMModel else "wavlm.")
    assert accounted(checkpoint) == len(port.state_dict())
    assert checkpoint.fields["layer_norm_first"] == checkpoint.fields["max_distance"] == "read"
    model, audio = wx.load_model(checkpoint), make_audio()
    encoder = port if kind is WavLMModel else port.wavlm
    with torch.no_grad():
        expected = encoder(torch.tensor(audio.samples)[None]).last_hidden_state[0]
    assert relative_difference(wx.trace(model, audio, normalize=False).output, expected) < 1e-5


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_bare_state_dicts_tell_their_geometry(variant):
    config = VARIANTS[variant]
    assumed = {"layer_norm_first", "normalize", "max_distance"}
    checkpoint = read_checkpoint(original_state(config), max_distance=60)
    assert checkpoint.account.is_whole
    assert not checkpoint.problems
    found = checkpoint.config
    assert found is not None
    assert len(checkpoint.shapes_say) >= 10
    for name in assumed.union(checkpoint.shapes_say):
        assert getattr(found, name) == getattr(config, name), name
    assert {name for name in assumed if checkpoint.fields[name] == "assumed"} == assumed - {"max_distance"}
    assert checkpoint.fields["encoder_layers"] == "inferred"
    assert checkpoint.fields["max_distance"] == "overridden"


def wrapped(prefix: str, place: str, **beside) -> dict:
    state = {prefix + name: tensor for name, tensor in original_state().items()}
    cfg = dataclasses.asdict(TINY)
    return {place: state, "cfg": cfg, **beside} if place else {**state, **beside}


@pytest.mark.parametrize(
    ("prefix", "place", "beside"),
    [
        ("", "model", {}),
        ("", "", {}),
        ("module.", "model", {"optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}}),
        ("model.", "state_dict", {"optimizer_states": [{"state": [torch.zeros(1)]}], "epoch": 3}),
        ("w2v_encoder.w2v_model.", "model", {"last_optimizer_state": None}),
        ("module.encoder.", "model_state_dict", {}),
        ("feature_extract.model.", "model", {"loss": torch.zeros(())}),
        ("_orig_mod.", "generator", {}),
        ("generator.ssl.wavlm.", "", {"generator.ssl.other": torch.zeros(3)}),
    ],
)
def test_wrappers_are_taken_off(prefix, place, beside):
    content = wrapped(prefix, place, **beside)
    checkpoint = read_checkpoint(content)
    assert (checkpoint.prefix, checkpoint.where, checkpoint.layout) == (prefix, place, "microsoft")
    assert checkpoint.account.is_whole, checkpoint.account
    assert accounted(checkpoint) == num_tensors(content)
    assert wx.load_model(checkpoint).config == TINY if place else checkpoint.fields["encoder_layers"] == "inferred"


def test_heads_are_named():
    content = wrapped("w2v_encoder.w2v_model.", "model")
    content["model"] |= {"w2v_encoder.proj.weight": torch.zeros(2, 2), "strange": torch.zeros(1)}
    checkpoint = read_checkpoint(content)
    assert checkpoint.head == "CTC"
    assert checkpoint.account.ignored == {
        "w2v_encoder.proj.weight": "output layer of speech recognition",
        "strange": "outside the encoder, whose names start with 'w2v_encoder.w2v_model.'",
    }


def test_the_model_itself_is_taken_and_its_average_named():
    content = wrapped("", "model")
    average = {name: tensor + 1 for name, tensor in content["model"].items()}
    checkpoint = read_checkpoint({"ema": average, **content})
    assert checkpoint.where == "model"
    assert torch.equal(checkpoint.tensors["mask_emb"], content["model"]["mask_emb"])
    assert torch.equal(checkpoint.copies["ema"]["mask_emb"], average["mask_emb"])
    assert set(checkpoint.account.ignored.values()) == {"another copy of the weights"}
    assert read_checkpoint({"ema": average}).where == "ema"


def test_packed_projections_are_cut_in_three():
    state = original_state()
    expected = wx.load_model(dict(state)).source.digest
    for layer in range(3):
        start = f"encoder.layers.{layer}.self_attn."
        for kind in ("weight", "bias"):
            state[f"{start}in_proj_{kind}"] = torch.cat([state.pop(f"{start}{part}_proj.{kind}") for part in "qkv"])
    model = wx.load_model(state)
    assert model.source.digest == expected
    assert model.source.notes == ("Packed query, key and value projections were cut in three.",)


def test_a_folded_weight_norm_is_split_again():
    state, audio = original_state(), make_audio()
    expected = wx.trace(wx.load_model(dict(state)), audio).output
    g, v = (state.pop(f"encoder.pos_conv.0.weight_{kind}") for kind in "gv")
    state["encoder.pos_conv.0.weight"] = g * v / v.norm(dim=(0, 1), keepdim=True)
    model = wx.load_model(state)
    assert "weight norm" in model.source.notes[0]
    assert relative_difference(wx.trace(model, audio).output, expected) < 1e-5


def test_a_missing_mask_embedding_is_told():
    state = original_state()
    del state["mask_emb"]
    model = wx.load_model(state)
    assert list(model.source.filled) == ["mask_emb"]
    assert not model.mask_emb.any()


@pytest.mark.parametrize("name", ["grep_a", "q_proj.weight", "relative_attention_bias.weight"])
def test_what_is_lost_is_missed(name):
    state = original_state()
    del state[f"encoder.layers.0.self_attn.{name}"]
    checkpoint = read_checkpoint(state)
    assert checkpoint.account.missing == (f"encoder.layers.0.self_attn.{name}",)
    with pytest.raises(wx.CheckpointError, match=f"missing encoder.layers.0.self_attn.{name}"):
        wx.load_model(checkpoint)


def test_one_wrong_tensor_misleads_nobody():
    state = original_state()
    state["encoder.layers.0.fc1.bias"] = torch.zeros(7)
    state["encoder.layers.1.self_attn_layer_norm.weight"] = torch.zeros(5)
    checkpoint = read_checkpoint(state)
    assert checkpoint.account.wrong_shape == {
        "encoder.layers.0.fc1.bias": ((40,), (7,)),
        "encoder.layers.1.self_attn_layer_norm.weight": ((24,), (5,)),
    }


def test_a_config_is_found_wherever_training_code_puts_it():
    state, fields = original_state(), dataclasses.asdict(TINY)
    for content in (
        {"model": state, "cfg": fields},
        {"model": state, "cfg": {"model": fields, "task": {"encoder_layers": 9}}},
        {"state_dict": state, "hyper_parameters": {"wavlm": fields}},
        {"model": state, "args": vars(argparse.Namespace(**fields))},
    ):
        checkpoint = read_checkpoint(content)
        assert checkpoint.config == TINY
        assert set(checkpoint.fields.values()) == {"read"}


def test_a_config_that_contradicts_the_shapes_is_kept_for_the_doctor():
    cfg = dataclasses.asdict(dataclasses.replace(TINY, num_buckets=64, gru_rel_pos=False))
    checkpoint = read_checkpoint({"model": original_state(), "cfg": cfg})
    table = "encoder.layers.0.self_attn.relative_attention_bias.weight"
    assert checkpoint.account.wrong_shape[table] == ((64, 3), (32, 3))
    assert all(".grep_" in name for name in checkpoint.account.unexpected)
    assert (checkpoint.shapes_say["num_buckets"], checkpoint.config_says["num_buckets"]) == (32, 64)
    assert checkpoint.shapes_say["gru_rel_pos"]


def test_the_port_s_other_activations_are_refused_by_name():
    config = config_to_huggingface(TINY) | {"hidden_act": "silu", "model_type": "hubert"}
    checkpoint = read_checkpoint(Contents("odd", "live object", original_state(), config=config))
    with pytest.raises(wx.CheckpointError, match=r"found 'hubert'.*hidden_act: expected one of .*; found 'silu'"):
        wx.load_model(checkpoint)


def test_strangers_are_refused_with_what_was_found():
    for content in ({}, {"weights": torch.zeros(3)}, collections.OrderedDict(a=1)):
        with pytest.raises(wx.CheckpointError, match=r"No tensors of a WavLM were recognised in .*Found: "):
            read_checkpoint(content)


def test_overrides_last():
    checkpoint = read_checkpoint(original_state(), normalize=True)
    model = wx.load_model(checkpoint, max_distance=77)
    assert (model.config.normalize, model.config.max_distance) == (True, 77)
    with pytest.raises(TypeError, match="max_distanse is no field"):
        read_checkpoint("nano", max_distanse=3)
