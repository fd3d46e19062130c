"""Loading checkpoints: whole and right, or refused with a message, and never by running what is in the file."""

import argparse
import dataclasses
import io
import pickle
import zipfile

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import TINY, make_original, randomise
from payload import Payload

import wavlm_explorer as wx
from wavlm_explorer.config import WavLMConfig
from wavlm_explorer.devices import available_devices, resolve_device


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def checkpoint(config=TINY, **changes) -> dict:
    """A checkpoint as the original's authors save it, made by the original's code."""
    original = make_original(config)
    randomise(original, std=0.05)
    return {"cfg": dataclasses.asdict(config), "model": original.state_dict(), **changes}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=list(VARIANTS))
def test_the_original_s_checkpoint_gives_the_original_s_numbers(config, tmp_path):
    content = checkpoint(config)
    path = tmp_path / "WavLM-Test.pt"
    torch.save(content, path)
    original = make_original(config).eval()
    original.load_state_dict(content["model"])
    audio = make_audio()
    with torch.no_grad():
        expected = original.extract_features(torch.tensor(audio.samples)[None])[0][0]
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        model = wx.load_model(source)
        assert not model.training
        assert model.config == config
        torch.testing.assert_close(wx.trace(model, audio, normalize=False).output, expected, atol=1e-5, rtol=1e-4)
    assert wx.load_model(path).source.name == "WavLM-Test.pt"


def test_half_precision_is_loaded_as_float32():
    content = checkpoint()
    content["model"] = {name: tensor.half() for name, tensor in content["model"].items()}
    model = wx.load_model(saved(content))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_both_spellings_of_the_weight_norm_load():
    content = checkpoint()
    old = saved(content)
    for name, new in (("weight_g", "original0"), ("weight_v", "original1")):
        tensor = content["model"].pop(f"encoder.pos_conv.0.{name}")
        content["model"][f"encoder.pos_conv.0.parametrizations.weight.{new}"] = tensor
    assert wx.load_model(saved(content)).source.digest == wx.load_model(old).source.digest


def test_each_field_says_how_it_is_known():
    content = checkpoint()
    content["cfg"] = {name: value for name, value in content["cfg"].items() if name != "normalize"}
    content["cfg"]["extra_of_pre_training"] = 3
    model = wx.load_model(saved(content), max_distance=800)
    assert model.config.max_distance == 800
    fields = model.source.fields
    assert (fields["max_distance"], fields["normalize"], fields["num_buckets"]) == ("overridden", "assumed", "read")
    assert set(fields) == {field.name for field in dataclasses.fields(WavLMConfig)}
    assert model.source.name == "checkpoint"
    with pytest.raises(TypeError, match="max_distanse is no field of WavLMConfig"):
        wx.load_model(saved(content), max_distanse=800)


def test_digests_tell_models_apart():
    content = checkpoint()
    digest = wx.load_model(saved(content)).source.digest
    assert wx.load_model(saved(content)).source.digest == digest
    assert wx.load_model(saved(content), normalize=True).source.digest != digest
    content["model"]["mask_emb"][0] += 1
    assert wx.load_model(saved(content)).source.digest != digest


def test_heads_of_pre_training_are_left_out_and_named():
    content = checkpoint()
    content["model"]["final_proj.weight"] = torch.zeros(3)
    assert wx.load_model(saved(content)).source.ignored == {"final_proj.weight": "head of pre-training"}


def drop(content):
    del content["model"]["encoder.layers.1.fc2.bias"]


def rename(content):
    content["model"]["encoder.layers.1.fc2.bios"] = content["model"].pop("encoder.layers.1.fc2.bias")


def reshape(content):
    content["model"]["encoder.layers.1.fc2.weight"] = content["model"]["encoder.layers.1.fc2.weight"].T


def lose_a_layer(content):
    content["model"] = {name: tensor for name, tensor in content["model"].items() if "layers.1." not in name}


def ask_for_many_layers(content):
    content["cfg"]["encoder_layers"] = 10**9


def ask_for_code(content):
    content["cfg"]["conv_feature_layers"] = "__import__('os').system('true')"


def odd_heads(content):
    content["cfg"]["encoder_attention_heads"] = 5


def expand(content):
    content["model"]["encoder.layer_norm.weight"] = torch.ones(1).expand(10**9, 10**6)


def text_for_a_number(content):
    content["cfg"]["encoder_embed_dim"] = "many"


def far_too_far(content):
    content["cfg"]["max_distance"] = 10**9


def word_for_a_switch(content):
    content["cfg"]["normalize"] = "no"


def not_a_number(content):
    content["model"]["encoder.layers.2.fc1.bias"][3] = float("nan")


def integers(content):
    content["model"]["mask_emb"] = content["model"]["mask_emb"].int()


def repeat_one_number(content):
    content["model"] = {name: torch.zeros(1).expand(tensor.shape) for name, tensor in content["model"].items()}


def lend_the_same_numbers(content):
    numbers = torch.zeros(10_000)
    content["model"] = {n: numbers[: tensor.numel()].view(tensor.shape) for n, tensor in content["model"].items()}


def no_tensor(content):
    content["model"]["mask_emb"] = "nothing"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, r"missing encoder\.layers\.1\.fc2\.bias"),
        (rename, r"unexpected encoder\.layers\.1\.fc2\.bios"),
        (reshape, r"encoder\.layers\.1\.fc2\.weight: expected \[24, 40\], found \[40, 24\]"),
        (lose_a_layer, r"belong to layers \[0, 2\]"),
        (ask_for_many_layers, r"encoder_layers: expected 1 to 200; found 1000000000"),
        (ask_for_code, r"conv_feature_layers: expected lists"),
        (odd_heads, r"encoder_attention_heads to divide"),
        (expand, r"encoder\.layer_norm\.weight: .* It poses as larger than it is"),
        (text_for_a_number, r"encoder_embed_dim: expected a whole number; found 'many'"),
        (far_too_far, r"max_distance: expected 1 to 1048576; found 1000000000"),
        (word_for_a_switch, r"normalize: expected true or false; found 'no'"),
        (not_a_number, r"encoder\.layers\.2\.fc1\.bias holds NaN"),
        (integers, r"mask_emb: expected floating point numbers; found torch\.int32"),
        (repeat_one_number, r"It poses as larger than it is"),
        (lend_the_same_numbers, r"claim more numbers than the file holds"),
        (no_tensor, r"Expected tensors; found something else under mask_emb"),
    ],
)
def test_what_is_not_wholly_a_wavlm_is_refused_by_name(change, message):
    content = checkpoint()
    change(content)
    with pytest.raises(wx.CheckpointError, match=message):
        wx.load_model(saved(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"no checkpoint at all", "cannot be read as a PyTorch checkpoint"),
        (saved({"state_dict": {}}), r"Found: state_dict"),
        (saved([1, 2]), "Found: list"),
        (saved({"cfg": 3, "model": {}}), "Found: cfg, model"),
        (saved({"cfg": argparse.Namespace(a=1), "model": {}}), r"Not loaded: Python objects of argparse\.Namespace"),
        (saved(checkpoint())[:20_000], "cut short"),
    ],
    ids=["empty", "text", "other keys", "list", "no dictionaries", "foreign object", "truncated"],
)
def test_other_files_are_refused(content, message):
    with pytest.raises(wx.CheckpointError, match=message):
        wx.load_model(content)


def test_no_pickle_is_executed(tmp_path):
    mark = tmp_path / "executed"
    in_archive = saved({"cfg": Payload(mark), "model": {}})
    for content in (in_archive, pickle.dumps(Payload(mark))):
        expected = "Not loaded: Python objects" if content is in_archive else "is a pickle"
        with pytest.raises(wx.CheckpointError, match=expected):
            wx.load_model(content)
        assert not mark.exists()
    pickle.loads(pickle.dumps(Payload(mark)))
    assert mark.exists(), "the payload would have worked"


def test_a_compressed_archive_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(checkpoint()))) as archive, zipfile.ZipFile(buffer, "w") as compressed:
        for entry in archive.infolist():
            compressed.writestr(entry.filename, archive.read(entry), zipfile.ZIP_DEFLATED)
    with pytest.raises(wx.CheckpointError, match="found a compressed or encrypted one"):
        wx.load_model(buffer.getvalue())


def test_a_path_without_a_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*nothing\.pt\. Expected one of nano"):
        wx.load_model(tmp_path / "nothing.pt")


def test_devices():
    assert available_devices()[0] == "cpu"
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == available_devices()[-1].split(":")[0]
    with pytest.raises(ValueError, match="expected auto or one of cpu"):
        resolve_device("tpu")


def test_loading_draws_no_random_numbers():
    content = saved(checkpoint())
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    wx.load_model(content)
    assert torch.rand(1) == expected


def test_models_are_independent_of_the_file(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(checkpoint(), path)
    model = wx.load_model(path)
    before = model.mask_emb.clone()
    path.write_bytes(b"")
    assert torch.equal(model.mask_emb, before)
    assert make_model() is not model
