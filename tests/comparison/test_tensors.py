"""Changes of tensors, against numpy."""

import numpy as np
import pytest
import torch
from models import make_model

from wavlm_explorer.comparison.tensors import Place, by_part, by_place, compare_tensors, place_of, relative_change


def test_numbers_are_those_of_numpy():
    random = np.random.default_rng(0)
    a = random.standard_normal((5, 7))
    b = a + 0.1 * random.standard_normal((5, 7))
    (change,) = compare_tensors({"x": torch.tensor(a)}, {"x": torch.tensor(b)})
    assert change.status == "changed"
    assert change.relative_change == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a))
    assert change.cosine == pytest.approx((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))
    assert change.largest_change == pytest.approx(np.abs(b - a).max())
    (scaled,) = compare_tensors({"x": torch.tensor(a)}, {"x": torch.tensor(-3 * a)})
    assert scaled.relative_change == pytest.approx(4)
    assert scaled.cosine == pytest.approx(-1)


def test_equal_is_exactly_nothing():
    state = make_model().state_dict()
    changes = compare_tensors(state, {name: tensor.clone() for name, tensor in state.items()})
    assert len(changes) == len(state) > 50
    assert {(one.status, one.relative_change, one.largest_change) for one in changes} == {("same", 0.0, 0.0)}


def test_what_has_no_counterpart_is_marked():
    a = {"gone": torch.ones(2), "shape": torch.ones(2, 3), "nan": torch.ones(2), "zero": torch.zeros(2)}
    b = {"shape": torch.ones(3, 2), "nan": torch.tensor([1, torch.nan]), "zero": torch.ones(2), "new": torch.ones(4)}
    changes = {one.name: one for one in compare_tensors(a, b)}
    assert {name: one.status for name, one in changes.items()} == {
        "gone": "only in a", "shape": "other shape", "nan": "not finite", "zero": "changed", "new": "only in b",
    }  # fmt: skip
    assert (changes["shape"].shape_a, changes["shape"].shape_b) == ((2, 3), (3, 2))
    assert all(one.relative_change is None for one in changes.values())
    assert changes["zero"].largest_change == 1
    assert relative_change(changes.values()) is None


def test_several_tensors_count_as_one():
    a, b = ({name: torch.randn(n, dtype=torch.float64) for name, n in (("x", 3), ("y", 5))} for _ in range(2))
    joined = [np.concatenate([state[name].numpy() for name in ("x", "y")]) for state in (a, b)]
    expected = np.linalg.norm(joined[1] - joined[0]) / np.linalg.norm(joined[0])
    assert relative_change(compare_tensors(a, b)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "part", "role"),
    [
        ("mask_emb", "front end", "mask_emb"),
        ("layer_norm.weight", "front end", "layer_norm"),
        ("feature_extractor.conv_layers.3.0.weight", "front end", "conv 3"),
        ("feature_extractor.conv_layers.0.2.1.bias", "front end", "conv 0"),
        ("encoder.layer_norm.bias", "encoder", "layer_norm"),
        ("encoder.pos_conv.0.weight_g", "encoder", "pos_conv"),
        ("encoder.layers.11.self_attn.q_proj.weight", "layer 11", "q_proj"),
        ("encoder.layers.0.self_attn.relative_attention_bias.weight", "layer 0", "relative_attention_bias"),
        ("encoder.layers.2.self_attn_layer_norm.bias", "layer 2", "self_attn_layer_norm"),
        ("encoder.layers.2.fc1.linear.weight", "layer 2", "fc1"),
    ],
)
def test_every_tensor_has_its_place(name, part, role):
    assert place_of(name) == (part, role)


def test_parts_come_in_the_order_of_the_sound():
    state = make_model().state_dict()
    changes = compare_tensors(dict(reversed(state.items())), state)
    assert list(by_part(changes)) == ["front end", "encoder", "layer 0", "layer 1", "layer 2"]
    places = by_place(changes)
    assert sum(map(len, places.values())) == len(changes)
    assert {one.name for one in places[Place("layer 1", "fc2")]} == {
        f"encoder.layers.1.fc2.{kind}" for kind in ("weight", "bias")
    }
