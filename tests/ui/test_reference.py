"""What was dropped into the page, and what is opened of it."""

import json

import pytest
import torch
from models import VARIANTS, make_model
from safetensors.torch import save

from wavlm_explorer.checkpoints import CheckpointError, load_model, save_model
from wavlm_explorer.ui.reference import refer_to_path, refer_to_upload


@pytest.fixture
def saved(tmp_path):
    """A Hugging Face folder of a pre-norm model that wants its input normalised."""
    save_model(make_model(VARIANTS["pre-norm"]), tmp_path / "hf")
    return {path.name: path.read_bytes() for path in (tmp_path / "hf").iterdir()}


def test_configs_beside_the_weights_are_read(saved):
    model = load_model(refer_to_upload(list(saved.items())).open(), "cpu")
    assert model.config == make_model(VARIANTS["pre-norm"]).config
    assert model.source.fields["layer_norm_first"] == model.source.fields["normalize"] == "read"


def test_weights_alone_are_read_too_and_the_rest_is_assumed(saved):
    model = load_model(refer_to_upload([("model.safetensors", saved["model.safetensors"])]).open(), "cpu")
    assert model.source.fields["layer_norm_first"] == "assumed"


def test_the_last_checkpoint_counts(saved):
    reference = refer_to_upload([("old.pt", b"nothing"), *saved.items()])
    assert reference.name == "model.safetensors"
    assert load_model(reference.open(), "cpu").config.normalize


def test_configs_alone_are_explained():
    with pytest.raises(CheckpointError, match="Drop the file with the weights beside it"):
        refer_to_upload([("config.json", b"{}")])


def test_a_config_that_is_no_json_is_explained(saved):
    with pytest.raises(CheckpointError, match=r"Expected config\.json to be JSON"):
        refer_to_upload([*saved.items(), ("config.json", b"{")]).open()


def test_the_key_names_the_content_and_not_the_name(saved):
    weights = saved["model.safetensors"]
    key = refer_to_upload([("a.safetensors", weights)]).key
    assert refer_to_upload([("b.safetensors", weights)]).key == key
    assert refer_to_upload([("a.safetensors", weights + b" ")]).key != key
    assert refer_to_upload(list(saved.items())).key != key
    other = json.dumps(json.loads(saved["config.json"]) | {"num_buckets": 7}).encode()
    assert refer_to_upload([*saved.items(), ("config.json", other)]).key != refer_to_upload(list(saved.items())).key


def test_a_file_that_changed_is_another(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"w": torch.zeros(3)}))
    key = refer_to_path(path, "a").key
    assert refer_to_path(path, "a").key == key
    path.write_bytes(save({"w": torch.zeros(4)}))
    assert refer_to_path(path, "a").key != key
