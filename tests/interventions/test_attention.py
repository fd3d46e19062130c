"""Interventions in attention, against models edited by hand and against attention written out in numpy."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hand import Change, layer_by_hand
from models import VARIANTS, make_audio, make_model
from oracles import relative_difference
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    GateFixed,
    HeadsOff,
    PositionFrom,
    PositionOff,
)

LAYER, HEAD, OTHER = 1, 2, 0
VARIANT = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)


def within(reach: int) -> Change:
    def change(weights: np.ndarray) -> np.ndarray:
        frames = np.arange(len(weights))
        kept = np.where(np.abs(frames[:, None] - frames) <= reach, weights, 0)
        return kept / kept.sum(-1, keepdims=True)

    return change


AT_ONE_HEAD: dict[str, tuple[Any, dict[str, Change]]] = {
    "off": (HeadsOff(layers=LAYER, heads=HEAD), {"context": np.zeros_like}),
    "mean": (HeadsOff(mean=True, layers=LAYER, heads=HEAD), {"context": lambda o: np.tile(o.mean(0), (len(o), 1))}),
    "gate": (GateFixed(0.3, layers=LAYER, heads=HEAD), {"gate": lambda g: np.full_like(g, 0.3)}),
    "position": (PositionOff(layers=LAYER, heads=HEAD), {"bias": np.zeros_like}),
    "content": (ContentOff(layers=LAYER, heads=HEAD), {"content": np.zeros_like}),
    "uniform": (AttentionUniform(layers=LAYER, heads=HEAD), {"weights": lambda a: np.full_like(a, 1 / len(a))}),
    "within": (AttentionWithin(3, layers=LAYER, heads=HEAD), {"weights": within(3)}),
    "to": (AttentionTo(5, layers=LAYER, heads=HEAD), {"weights": lambda a: np.eye(len(a))[np.full(len(a), 5)]}),
}


LACKING = {("no gate", "gate"), ("no positions", "gate"), ("no positions", "position")}  # test_plan.py: refused
PLACES = [(kind, name) for kind in VARIANTS for name in AT_ONE_HEAD if (kind, name) not in LACKING]


@pytest.mark.parametrize(("kind", "name"), PLACES)
def test_one_head_changed_is_attention_written_out(kind, name):
    trace = make_trace(VARIANTS[kind])
    before = digest(trace.model)
    intervention, changes = AT_ONE_HEAD[name]
    changed = trace.what_if([intervention])
    entering = trace.hidden_states[LAYER].double().numpy()
    hand = layer_by_hand(copy.deepcopy(trace.model), LAYER, entering, HEAD, **changes)
    terms = changed.terms_of_heads(LAYER)
    assert np.allclose(changed.attention(LAYER), hand["weights"], atol=2e-6)
    assert torch.allclose(terms.weights, changed.attention(LAYER), atol=1e-6)
    assert np.allclose(terms.gate, hand["gate"], atol=1e-5)
    assert torch.equal(terms.gate, changed.gate(LAYER))
    assert torch.allclose(terms.logits, terms.content + terms.position + terms.bars)
    if name != "uniform":  # which is content and position off
        assert np.allclose(terms.content, hand["content"], atol=1e-5)
        assert np.allclose(terms.bucket_bias, hand["bias"], atol=1e-6)
    assert relative_difference(changed.hidden_states[LAYER + 1].double(), torch.from_numpy(hand["leaves"])) < 1e-5
    hand = layer_by_hand(copy.deepcopy(trace.model), LAYER + 1, hand["leaves"])
    assert relative_difference(changed.hidden_states[LAYER + 2].double(), torch.from_numpy(hand["leaves"])) < 1e-5
    assert np.allclose(changed.attention(LAYER + 1), hand["weights"], atol=1e-5)
    assert torch.equal(changed.hidden_states[: LAYER + 1], trace.hidden_states[: LAYER + 1])
    assert not torch.allclose(changed.output, trace.output, atol=1e-4)
    assert digest(trace.model) == before


@VARIANT
def test_the_hand_agrees_with_the_untouched_pass(config):
    trace = make_trace(config)
    hand = layer_by_hand(copy.deepcopy(trace.model), LAYER, trace.hidden_states[LAYER].double().numpy())
    assert relative_difference(trace.hidden_states[LAYER + 1].double(), torch.from_numpy(hand["leaves"])) < 1e-5


def edit_table(attention, config):
    table = attention(0).relative_attention_bias.weight
    table[:, HEAD] = 0


def copy_table(attention, config):
    table = attention(0).relative_attention_bias.weight
    table[:, HEAD] = table[:, OTHER]


def exchange_tables(attention, config):
    table = attention(0).relative_attention_bias.weight
    table[:, [OTHER, HEAD]] = table[:, [HEAD, OTHER]]


def fix_gates(attention, config):
    for layer in (0, 2):  # a = 1 and b = 1/2, so that the gate is c / 2 + 1
        attention(layer).grep_linear.weight.zero_()
        attention(layer).grep_linear.bias[:4] = 50
        attention(layer).grep_linear.bias[4:] = 0
        attention(layer).grep_a.fill_(2 * (1.7 - 1))


def zero_output(attention, config):
    width = config.encoder_embed_dim // config.encoder_attention_heads
    attention(LAYER).out_proj.weight[:, HEAD * width : (HEAD + 1) * width] = 0


def zero_queries(attention, config):
    attention(LAYER).q_proj.weight.zero_()
    attention(LAYER).q_proj.bias.zero_()


EDITS = {
    "table zeroed": ([PositionOff(heads=HEAD)], edit_table),
    "table copied": ([PositionFrom(OTHER, heads=HEAD)], copy_table),
    "tables exchanged": ([PositionFrom(OTHER, heads=HEAD), PositionFrom(HEAD, heads=OTHER)], exchange_tables),
    "gates fixed": ([GateFixed(1.7, layers=[0, -1])], fix_gates),
    "output zeroed": ([HeadsOff(layers=LAYER, heads=[HEAD])], zero_output),
    "queries zeroed": ([ContentOff(layers=LAYER)], zero_queries),
    "several": ([ContentOff(layers=LAYER), PositionOff(heads=HEAD)], lambda *a: (zero_queries(*a), edit_table(*a))),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("kind", ["post-norm", "pre-norm", "glu"])
def test_an_intervened_pass_is_a_pass_of_a_module_edited_by_hand(kind, name):
    interventions, edit = EDITS[name]
    model, audio = make_model(VARIANTS[kind]), make_audio()
    real = copy.deepcopy(model)
    with torch.no_grad():
        edit(lambda layer: real.encoder.block(layer).self_attn, model.config)
    ours, theirs = wx.trace(model, audio, interventions=interventions), wx.trace(real, audio)
    assert relative_difference(ours.hidden_states, theirs.hidden_states) < 1e-5
    assert relative_difference(ours.output, theirs.output) < 1e-5
    for layer in range(ours.num_layers):
        assert torch.allclose(ours.attention(layer), theirs.attention(layer), atol=1e-5)
        assert torch.allclose(ours.gate(layer), theirs.gate(layer), atol=1e-5)
        assert torch.allclose(ours.feed_forward_input(layer), theirs.feed_forward_input(layer), atol=1e-4)
    measured = theirs.measures()
    for measure, numbers in ours.measures().items():
        assert torch.allclose(numbers, measured[measure], rtol=1e-4, atol=1e-5), measure
    if kind == "glu":
        assert torch.allclose(ours.glu(2).output, theirs.glu(2).output, atol=1e-3)
