"""Which heads the lesson begins with: the bundled model's exemplars, and the like of them elsewhere."""

import pytest
import torch
from models import VARIANTS
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.lesson.habits import NUM_ROWS, find_head, sides
from wavlm_explorer.samples import load_sample


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("pause"))


def test_sides_are_shares_of_the_map():
    trace = make_trace()
    behind, ahead = sides(trace)
    assert trace.num_frames < NUM_ROWS
    weights = trace.attention(2, 1)[0]
    assert float(behind[2, 1]) == pytest.approx(float(weights.tril(-1).sum(dim=1).mean()), abs=1e-6)
    assert float(ahead[2, 1]) == pytest.approx(float(weights.triu(1).sum(dim=1).mean()), abs=1e-6)
    assert sides(trace) is sides(trace)


def test_of_a_longer_clip_some_rows_tell(nano):
    assert nano.num_frames > NUM_ROWS
    exact = torch.stack([nano.attention(layer).tril(-1).sum(dim=-1).mean(dim=-1) for layer in range(6)])
    assert (sides(nano).behind - exact).abs().max() < 0.02


def test_the_bundled_model_has_its_exemplars(nano):
    assert find_head(nano, "looks back") == (4, 4)
    assert find_head(nano, "looks ahead") == (5, 5)
    assert find_head(nano, "similar sounds") == (3, 2)


def test_other_models_have_the_heads_that_stand_out():
    trace = make_trace(VARIANTS["no positions"])
    assert find_head(trace, "similar sounds") == (0, 0)  # all alike: there is nothing but content
    trace = make_trace()
    layer, head = find_head(trace, "looks back")
    assert sides(trace).behind[layer, head] == sides(trace).behind.max()
    share = trace.measures()["position_share"]
    assert share[find_head(trace, "similar sounds")] == share.min()
    table = trace.model.encoder.block(0).self_attn.relative_attention_bias.weight
    table.data[:, :2] = 0.5  # what is alike at all distances changes nothing, however the gate moves
    assert find_head(trace, "gate matters").head == 2
