"""Where attention parts, against scipy."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from models import make_audio, make_model
from oracles import TINY
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from wavlm_explorer import trace
from wavlm_explorer.comparison import divergence
from wavlm_explorer.comparison.divergence import attention_divergence, jensen_shannon


def two_traces(seed=1, **fields):
    return trace(make_model(), make_audio()), trace(make_model(dataclasses.replace(TINY, **fields), seed), make_audio())


def by_scipy(a, b, layer, head):
    """The three divergences of one head from its terms, one at a time."""
    one, other = (
        [np.float64(term) for term in (terms.content, terms.position)]
        for terms in (a.attention_terms(layer, head), b.attention_terms(layer, head))
    )
    own = softmax(one[0] + one[1], axis=1)
    pairs = {"total": other[0] + other[1], "content": other[0] + one[1], "position": one[0] + other[1]}
    return {
        name: (jensenshannon(own.T, softmax(logits, axis=1).T, base=2) ** 2).mean() for name, logits in pairs.items()
    }


def test_jensen_shannon_is_scipys_squared():
    p, q = (torch.rand(6, 9, dtype=torch.float64).softmax(-1) for _ in range(2))
    assert jensen_shannon(p, q).numpy() == pytest.approx(jensenshannon(p.numpy().T, q.numpy().T, base=2) ** 2)
    apart = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert jensen_shannon(*apart).item() == pytest.approx(1)
    assert jensen_shannon(p, p).max() == 0


@pytest.mark.parametrize("block_bytes", [divergence.BLOCK_BYTES, 2000], ids=["one block", "blocks of rows"])
def test_every_head_is_as_scipy_has_it(monkeypatch, block_bytes):
    monkeypatch.setattr(divergence, "BLOCK_BYTES", block_bytes)
    a, b = two_traces()
    found = attention_divergence(a, b)
    assert found.total.shape == (3, 3)
    assert found.total.min() > 1e-4
    for layer, head in np.ndindex(3, 3):
        expected = by_scipy(a, b, layer, head)
        for part, value in expected.items():
            assert getattr(found, part)[layer, head] == pytest.approx(value, rel=1e-5)


def test_a_model_and_itself():
    a, _ = two_traces()
    found = attention_divergence(a, a)
    assert max(part.max() for part in (found.total, found.content, found.position)) == 0


def test_a_change_of_the_table_is_position_and_a_change_of_the_queries_is_content():
    a = trace(make_model(), make_audio())
    table, queries = copy.deepcopy(a.model), copy.deepcopy(a.model)
    with torch.no_grad():
        table.encoder.block(0).self_attn.relative_attention_bias.weight.mul_(1.5)
        queries.encoder.block(0).self_attn.q_proj.weight.mul_(1.5)
    moved = attention_divergence(a, trace(table, make_audio()))
    assert moved.content[0].max() == 0
    assert moved.position[0] == pytest.approx(moved.total[0])
    assert moved.position[0].min() > 0
    asked = attention_divergence(a, trace(queries, make_audio()))
    assert asked.position[0].max() == 0
    assert asked.content[0] == pytest.approx(asked.total[0])
    assert asked.content[0].min() > 0


def test_other_heads_have_no_counterpart_and_other_depths_share_layers():
    a, deeper = two_traces(encoder_layers=5)
    assert attention_divergence(a, deeper).total.shape == (3, 3)
    a, wider = two_traces(encoder_attention_heads=4)
    with pytest.raises(ValueError, match="3 and 4 heads"):
        attention_divergence(a, wider)
