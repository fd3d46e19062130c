"""init_bert_params, against the original: the same draws in the same order."""

import pytest
import torch
from oracles import original_modules
from torch import nn

from wavlm_explorer import modules
from wavlm_explorer.modules import init_bert_params

MODULES = {
    "linear": lambda _: nn.Linear(5, 7),
    "linear without bias": lambda _: nn.Linear(5, 7, bias=False),
    "embedding": lambda _: nn.Embedding(6, 4),
    "padded embedding": lambda _: nn.Embedding(6, 4, padding_idx=2),
    "untouched": lambda _: nn.Sequential(nn.LayerNorm(4), nn.Conv1d(2, 3, 4), nn.Conv2d(2, 3, 1)),
    "attention": lambda source: source.MultiheadAttention(
        8, 2, has_relative_attention_bias=True, gru_rel_pos=True, add_bias_kv=True
    ),
    "attention of other widths": lambda source: source.MultiheadAttention(8, 2, kdim=6, vdim=5, rescale_init=True),
    "glu": lambda source: source.GLU_Linear(4, 6),
    "all": lambda source: nn.Sequential(nn.Embedding(3, 8), source.MultiheadAttention(8, 4), nn.Linear(8, 2)),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", MODULES)
def test_the_draws_are_the_original_s(name, seed):
    states = []
    for source in (original_modules, modules):
        torch.manual_seed(seed)
        module = MODULES[name](source)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(1)
        states.append(module.apply(source.init_bert_params).state_dict())
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_what_becomes_of_each_kind():
    linear = nn.Linear(300, 300).apply(init_bert_params)
    assert linear.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not linear.bias.any()
    embedding = nn.Embedding(300, 300, padding_idx=7).apply(init_bert_params)
    assert embedding.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not embedding.weight[7].any()
    attention = modules.MultiheadAttention(256, 2, gru_rel_pos=True).apply(init_bert_params)
    assert attention.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert (attention.grep_a == 1).all()


def test_weights_still_learn_afterwards():
    linear = nn.Linear(3, 3).apply(init_bert_params)
    assert linear.weight.requires_grad
    assert linear.weight.is_leaf
    assert linear.weight.grad_fn is None
