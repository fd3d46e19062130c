"""Two checkpoints side by side, from files to words."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from models import make_audio, make_model
from oracles import TINY
from torch import nn

from wavlm_explorer import CheckpointError, WavLM, diff, save_model
from wavlm_explorer.comparison import Difference
from wavlm_explorer.comparison.behaviour import Behaviour
from wavlm_explorer.comparison.summary import percent

CLIP = make_audio()


@pytest.fixture(scope="module")
def model() -> WavLM:
    return make_model()


def changed(model: WavLM, **factors: float) -> WavLM:
    """A copy with some tensors scaled; a double underscore stands for a dot."""
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for name, factor in factors.items():
            twin.get_parameter(name.replace("__", ".")).mul_(factor)
    return twin


def behaviour_of(difference: Difference) -> Behaviour:
    """What both did on the clip; there must be something."""
    assert difference.behaviour is not None, difference.no_behaviour
    return difference.behaviour


def test_the_same_model_in_two_layouts(model, tmp_path):
    files = save_model(model, tmp_path / "model.pt"), save_model(model, tmp_path / "folder")
    difference = diff(*files, CLIP)
    assert (difference.is_same, difference.exit_code) == (True, 0)
    assert (difference.a.layout, difference.b.layout) == ("microsoft", "huggingface")
    assert difference.summary.startswith(f"Both are the same model: all {len(model.state_dict())} tensors are equal")
    assert "Only the layout differs" in difference.summary
    behaviour = behaviour_of(difference)
    assert np.diagonal(behaviour.cka) == pytest.approx(np.ones(4))
    assert behaviour.cosine == pytest.approx(np.ones(4))
    assert behaviour.divergence is not None
    assert behaviour.divergence.total.max() == 0


def test_what_moved_is_said(model):
    difference = diff(model, changed(model, encoder__layers__1__fc2__weight=1.1), CLIP)
    assert (difference.is_same, difference.exit_code) == (False, 1)
    (moved,) = (one for one in difference.tensors if one.status != "same")
    assert moved.name == "encoder.layers.1.fc2.weight"
    assert moved.relative_change == pytest.approx(0.1, rel=1e-5)
    summary = difference.summary
    assert f"1 of {len(difference.tensors)} comparable tensors differ" in summary
    assert "Unchanged: the front end, the positional convolution and the encoder's norm, layers 0, 2." in summary
    assert "Layer 1 moved most" in summary
    assert "fc2 moved most" in summary
    assert "least alike where they leave layer" in summary
    divergence = behaviour_of(difference).divergence
    assert divergence is not None
    assert divergence.total[:2].max() == 0 < divergence.total[2].max()


def test_config_that_only_training_reads_makes_no_other_model(model):
    dropout, normalised = copy.deepcopy(model), copy.deepcopy(model)
    dropout.config = dataclasses.replace(model.config, dropout=0.3)
    normalised.config = dataclasses.replace(model.config, normalize=True)
    assert diff(model, dropout, CLIP).exit_code == 0
    assert "dropout" in diff(model, dropout, CLIP).summary
    difference = diff(model, normalised, CLIP)
    assert difference.exit_code == 1
    assert "normalize (False, True)" in difference.summary
    behaviour = behaviour_of(difference)
    assert (behaviour.normalized_a, behaviour.normalized_b) == (False, True)


def test_overrides_hold_for_both(model):
    normalised = copy.deepcopy(model)
    normalised.config = dataclasses.replace(model.config, normalize=True)
    assert diff(model, normalised, CLIP, normalize=False).is_same


def test_what_is_needed_in_training_only_may_be_absent(model):
    state = {name: tensor for name, tensor in model.state_dict().items() if name != "mask_emb"}
    difference = diff({"cfg": dataclasses.asdict(model.config), "model": state}, model, CLIP)
    assert difference.is_same
    assert "mask_emb is in one only" in difference.summary


def test_other_depths_share_what_has_the_same_name(model):
    deeper = make_model(dataclasses.replace(TINY, encoder_layers=5))
    difference = diff(model, deeper, CLIP)
    assert {one.place.part for one in difference.tensors if one.status == "only in b"} == {"layer 3", "layer 4"}
    behaviour = behaviour_of(difference)
    assert behaviour.cka.shape == (4, 6)
    assert not behaviour.has_equal_depth
    assert behaviour.cosine is not None
    assert behaviour.cosine.shape == (4,)
    assert behaviour.divergence is not None
    assert behaviour.divergence.total.shape == (3, 3)
    assert "only in B" in difference.summary
    assert "is most like B's state" in difference.summary


def test_other_widths_have_no_cosine_and_other_heads_no_divergence(model):
    wider = make_model(dataclasses.replace(TINY, encoder_embed_dim=32, encoder_attention_heads=4))
    difference = diff(model, wider, CLIP)
    assert {one.status for one in difference.tensors if one.name.endswith("q_proj.weight")} == {"other shape"}
    behaviour = behaviour_of(difference)
    assert (behaviour.cosine, behaviour.divergence) == (None, None)
    assert behaviour.cka.shape == (4, 4)
    assert json.loads(difference.to_json())["behaviour"]["divergence"] is None
    assert "different numbers of heads" in difference.to_html()


def test_a_checkpoint_that_cannot_be_loaded_is_compared_all_the_same(model):
    state = dict(model.state_dict())
    del state["encoder.layers.1.fc1.weight"]
    difference = diff(model, {"cfg": dataclasses.asdict(model.config), "model": state}, CLIP)
    assert difference.behaviour is None
    assert "missing encoder.layers.1.fc1.weight" in difference.no_behaviour
    assert "They were not run on a clip" in difference.summary
    assert sum(one.status == "same" for one in difference.tensors) == len(state)


def test_front_ends_must_keep_the_same_time(model):
    slower = make_model(dataclasses.replace(TINY, conv_feature_layers="[(8,10,5)] + [(8,3,2)] * 4"))
    difference = diff(model, slower, CLIP)
    assert difference.behaviour is None
    assert "frames" in difference.no_behaviour


def test_what_is_no_checkpoint_is_named(model, tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(CheckpointError, match=r"text\.pt"):
        diff(model, tmp_path / "text.pt")
    with pytest.raises(FileNotFoundError, match=r"nothing\.pt"):
        diff(tmp_path / "nothing.pt", model)


def test_heads_beside_the_encoder_are_listed(model):
    class Recogniser(nn.Module):
        def __init__(self):
            super().__init__()
            self.wavlm, self.lm_head = model, nn.Linear(24, 5)

    difference = diff(model, Recogniser().state_dict(), CLIP)
    assert set(difference.b.left_out) == {"lm_head.weight", "lm_head.bias"}
    assert not difference.a.left_out


def test_json_has_every_number(model):
    difference = diff(model, changed(model, encoder__layers__1__fc2__weight=0, mask_emb=2), CLIP)
    content = json.loads(difference.to_json())
    assert content["same"] is False
    assert {one["name"]: one["relative_change"] for one in content["tensors"]} == pytest.approx(
        {one.name: one.relative_change for one in difference.tensors}
    )
    zeroed = next(one for one in content["tensors"] if one["name"] == "encoder.layers.1.fc2.weight")
    assert (zeroed["cosine"], zeroed["relative_change"]) == (None, 1)
    assert zeroed["place"] == {"part": "layer 1", "role": "fc2"}
    assert np.array(content["behaviour"]["divergence"]["content"]).shape == (3, 3)
    assert content["parts"]["layer 0"] == 0
    assert set(content) == {
        "summary", "same", "a", "b", "config", "parts", "places", "tensors", "behaviour", "no_behaviour",
    }  # fmt: skip


def test_json_has_no_nan(model):
    difference = diff(model, changed(model, mask_emb=2), CLIP)
    unknown = dataclasses.replace(behaviour_of(difference), cka=np.full((4, 4), np.nan))
    content = json.loads(dataclasses.replace(difference, behaviour=unknown).to_json())
    assert content["behaviour"]["cka"] == [[None] * 4] * 4


def test_the_page_is_one_file_and_takes_names_for_text(model, tmp_path):
    path = save_model(changed(model, mask_emb=2), tmp_path / "<b>bold<b>.pt")
    page = diff(model, path, CLIP).to_html()
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page
    assert page.count("<img") == 5
    assert "://" not in page


def test_shares_are_readable():
    assert [percent(share) for share in (None, 0, 1e-7, 0.00123, 0.0567, 0.354, 2)] == [
        "not defined", "0%", "1e-05%", "0.12%", "5.7%", "35%", "200%",
    ]  # fmt: skip
