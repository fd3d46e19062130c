"""Whoever reads a trace sees what acted: in which layer and head, with which numbers, against numbers made by hand."""

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hand import layer_by_hand
from models import VARIANTS
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.comparison.divergence import attention_divergence
from wavlm_explorer.figures.attention import attention_terms
from wavlm_explorer.figures.style import LIGHT
from wavlm_explorer.gates import GATE_SOURCES, gate_from, gated_rows, gates_by_layer, head_gate
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
    StatesPatched,
)
from wavlm_explorer.masks import CAUSAL, causal_mask, drawn_key, extra_key_weights, masked_attention
from wavlm_explorer.modules import relative_position_buckets
from wavlm_explorer.noise import LINEAR_NAMES, TABLE_NAME, Noise, noised_pass, weight_module
from wavlm_explorer.positional_convolution import positional_pass
from wavlm_explorer.views.gate import VIEW
from wavlm_explorer.views.view import Note

LAYER, HEAD, OTHER = 1, 2, 0


def at(intervention: Any) -> Any:
    return dataclasses.replace(intervention, layers=LAYER, heads=HEAD)


def table_curve(trace: wx.Trace, head: int) -> np.ndarray:
    """The bias at every distance of the clip, read from the table by the buckets of the first and the last query."""
    table = trace.model.encoder.block(0).self_attn.relative_attention_bias.weight.detach().numpy()[:, head]
    buckets = relative_position_buckets(
        trace.num_frames, trace.model.config.num_buckets, trace.model.config.max_distance
    )
    return np.concatenate([table[buckets[-1, :-1]], table[buckets[0]]])


@pytest.mark.parametrize(
    ("intervention", "expected"),
    [
        (PositionOff(), lambda trace: np.zeros_like(table_curve(trace, HEAD))),
        (PositionFrom(OTHER), lambda trace: table_curve(trace, OTHER)),
        (AttentionUniform(), lambda trace: np.zeros_like(table_curve(trace, HEAD))),
        (ContentOff(), lambda trace: table_curve(trace, HEAD)),
        (AttentionWithin(2), lambda trace: table_curve(trace, HEAD)),
    ],
)
def test_the_bias_is_that_of_one_head_of_one_layer(tiny_trace, intervention, expected):
    changed = tiny_trace.what_if([at(intervention)])
    for layer in range(3):
        curves = changed.layer_attention(layer).bias_curve()
        for head in range(3):
            wanted = expected(tiny_trace) if (layer, head) == (LAYER, HEAD) else table_curve(tiny_trace, head)
            assert np.array_equal(curves[head], wanted)
    assert np.array_equal(changed.layer_attention(LAYER).bias_curve()[HEAD], expected(tiny_trace))


def test_a_model_without_positions_has_a_bias_of_zeros():
    curves = make_trace(VARIANTS["no positions"]).layer_attention(0).bias_curve()
    assert curves.shape == (3, 2 * 24 - 1)
    assert not curves.any()


@pytest.mark.parametrize("source", GATE_SOURCES)
def test_a_fixed_gate_is_fixed_whatever_feeds_it(tiny_trace, source):
    changed = tiny_trace.what_if([at(GateFixed(0.3))])
    gates, own = gate_from(changed, LAYER, source), gate_from(tiny_trace, LAYER, source)
    assert torch.equal(gates[HEAD], torch.full((tiny_trace.num_frames,), 0.3))
    assert torch.equal(gates[:HEAD], own[:HEAD])
    assert torch.equal(gate_from(changed, -2, source, slice(4, 6)), gates[:, 4:6])
    assert not torch.equal(gate_from(changed, LAYER + 1, source), gate_from(tiny_trace, LAYER + 1, source))
    assert gates_by_layer(changed, 7, source)[LAYER, HEAD] == pytest.approx(0.3)


def test_the_gate_that_the_model_makes_stays_its_own(tiny_trace):
    changed = tiny_trace.what_if([at(GateFixed(0.3))])
    assert torch.equal(head_gate(changed, LAYER, HEAD).terms.gate, head_gate(tiny_trace, LAYER, HEAD).terms.gate)
    for head, is_said in ((HEAD, True), (OTHER, False)):
        items = VIEW.exhibits(changed, LIGHT, layer=LAYER, head=head, frame=3)
        assert any(isinstance(item, Note) and "fixes the gate" in item.text for item in items) == is_said


def test_another_gate_leaves_barred_keys_barred(tiny_trace):
    changed, frame = tiny_trace.what_if([at(AttentionWithin(3))]), 9
    rows, terms = gated_rows(changed, LAYER, HEAD, frame, (2.0,)), tiny_trace.attention_terms(LAYER, HEAD)
    for gate, found in zip((float(terms.gate[frame]), 2.0), rows.weights, strict=True):
        expected = np.exp((terms.content[frame] + gate * terms.bucket_bias[frame]).double().numpy())
        expected[np.abs(np.arange(len(expected)) - frame) > 3] = 0
        assert np.allclose(found, expected / expected.sum(), atol=1e-6)


@pytest.mark.parametrize(
    "interventions", [[AttentionWithin(3)], [AttentionTo(5)], [AttentionWithin(3), AttentionTo(5)]]
)
def test_barred_logits_are_minus_infinity(tiny_trace, interventions):
    changed = tiny_trace.what_if([at(one) for one in interventions])
    frames, plain = torch.arange(tiny_trace.num_frames), tiny_trace.attention_terms(LAYER, HEAD)
    allowed = torch.ones(len(frames), len(frames), dtype=torch.bool)
    for one in interventions:
        near = (frames[:, None] - frames).abs() <= 3
        allowed &= near if isinstance(one, AttentionWithin) else (frames == 5).expand_as(allowed)
    terms = changed.attention_terms(LAYER, HEAD)
    assert torch.equal(terms.logits, plain.logits.masked_fill(~allowed, -torch.inf))
    assert torch.equal(terms.content, plain.content)
    assert torch.equal(terms.bars.isneginf(), ~allowed)
    raised = terms.logits.double().exp()
    assert torch.allclose(terms.weights.double(), raised / raised.sum(-1, keepdim=True).clamp(min=1e-300), atol=1e-6)
    bars, reach = changed.layer_attention(LAYER).bars(), tiny_trace.num_frames - 1
    together = bars.distances[HEAD][frames - frames[:, None] + reach] + bars.keys[HEAD]
    assert torch.equal(together, terms.bars)
    assert not bars.distances[OTHER].any()
    assert not bars.keys[OTHER].any()


def test_pooled_logits_show_what_is_left(tiny_trace):
    changed = tiny_trace.what_if([at(AttentionWithin(1))])
    pooled, whole = changed.terms_overview(LAYER, HEAD, cells=10).logits, changed.attention_terms(LAYER, HEAD).logits
    for row, column in np.ndindex(10, 10):
        cell = whole[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        left = cell[cell.isfinite()]
        expected = left[left.abs().argmax()] if len(left) else torch.tensor(-torch.inf)
        assert torch.equal(pooled[row, column], expected)
    picture = attention_terms(changed, LAYER, HEAD)
    reach = float(torch.cat([term.flatten() for term in (changed.attention_terms(LAYER, HEAD)[0], whole)]).nan_to_num(
        neginf=0).abs().max())  # fmt: skip
    assert [axes for axes in picture.axes if "grey: barred" in axes.get_title(loc="left")] == [picture.axes[4]]
    assert picture.axes[4].images[0].norm.vmax == pytest.approx(reach)


def test_a_mask_comes_on_top_of_what_is_barred(tiny_trace):
    changed = tiny_trace.what_if([at(AttentionTo(9))])
    found = masked_attention(changed, LAYER, HEAD, CAUSAL, 0)
    expected = torch.zeros_like(found.plain)
    expected[:, 9] = 1
    assert torch.equal(found.plain, expected)
    expected[:9] = 0
    assert torch.equal(found.masked, expected)
    assert torch.equal(found.hidden, causal_mask(tiny_trace.num_frames))


def test_added_keys_meet_the_query_that_acted(tiny_trace):
    changed = tiny_trace.what_if([at(ContentOff()), at(AttentionWithin(2))])
    found = extra_key_weights(changed, LAYER, HEAD, CAUSAL, 0)
    position = tiny_trace.attention_terms(LAYER, HEAD).position.double().exp()
    frames = torch.arange(tiny_trace.num_frames)
    seen = ((frames[:, None] - frames).abs() <= 2) & (frames <= frames[:, None])
    expected = 1 / ((position * seen).sum(-1) + 2)  # both keys have a logit of 0, for the query is 0
    assert torch.allclose(found.double(), expected[:, None].expand(-1, 2), atol=1e-6)
    plain = extra_key_weights(tiny_trace, LAYER, HEAD, CAUSAL, 0)
    attention = tiny_trace.model.encoder.block(LAYER).self_attn
    with torch.no_grad():
        q = attention.project_query(tiny_trace.attention_input(LAYER)[:, None])[0, HEAD]
    logits = tiny_trace.attention_terms(LAYER, HEAD).logits.masked_fill(causal_mask(len(frames)), -torch.inf)
    learned = q @ drawn_key(24).view(3, 8)[HEAD]
    whole = torch.cat([logits, learned[:, None], torch.zeros(len(frames), 1)], dim=1).softmax(-1)
    assert torch.allclose(plain, whole[:, -2:], atol=1e-6)


def test_what_a_head_hands_on_is_what_acted(tiny_trace):
    for intervention, change in (
        (HeadsOff(), np.zeros_like),
        (HeadsOff(mean=True), lambda o: np.tile(o.mean(0), (len(o), 1))),
        (AttentionTo(5), lambda o: o),
    ):
        changed = tiny_trace.what_if([at(intervention)])
        is_to = isinstance(intervention, AttentionTo)
        weights = {"weights": lambda a: np.eye(len(a))[np.full(len(a), 5)]} if is_to else {}
        entering = tiny_trace.hidden_states[LAYER].double().numpy()
        hand = layer_by_hand(copy.deepcopy(tiny_trace.model), LAYER, entering, HEAD, context=change, **weights)
        assert np.allclose(changed.context(LAYER), hand["context"], atol=1e-5)
        assert changed.plan.acting(LAYER, HEAD) == [at(intervention)]
        assert changed.plan.acting(LAYER, OTHER) == changed.plan.acting(0, HEAD) == []


def test_the_divergence_of_two_traces_keeps_their_bars(tiny_trace):
    changed = tiny_trace.what_if([at(AttentionTo(5)), at(AttentionWithin(2))])
    found = attention_divergence(tiny_trace, changed)
    own, seen = tiny_trace.attention(LAYER, HEAD)[0].double(), changed.attention(LAYER, HEAD)[0].double()
    mixed = (own + seen) / 2
    entropy = [torch.special.entr(one).sum(-1) for one in (mixed, own, seen)]
    expected = ((entropy[0] - (entropy[1] + entropy[2]) / 2) / np.log(2)).mean()
    assert found.total[LAYER, HEAD] == pytest.approx(float(expected), rel=1e-4)
    assert found.content[LAYER, HEAD] == found.position[LAYER, HEAD] == pytest.approx(0, abs=1e-12)


def test_the_positional_convolution_hears_what_is_hidden(tiny_trace):
    changed = tiny_trace.what_if([FramesHidden(slice(3, 9))])
    size = positional_pass(changed).input_size
    mask = tiny_trace.model.mask_emb.detach().square().mean().sqrt()
    assert torch.allclose(size[3:9], mask.expand(6))
    assert torch.equal(size[9:], positional_pass(tiny_trace).input_size[9:])


NOISED_UNDER = {
    "attention": [at(GateFixed(0.3)), at(AttentionWithin(4)), HeadsOff(layers=2, heads=0)],
    "states": [LayersSkipped(2), StatesPatched(1, make_trace(seconds=0.8), frames=3)],
    "sound": [FramesHidden([3, 4]), PositionFrom(OTHER, heads=HEAD)],
}


@pytest.mark.parametrize("kind", NOISED_UNDER)
@pytest.mark.parametrize("noise", [Noise(1, LINEAR_NAMES[2], 0.4, 4), Noise(0, TABLE_NAME, 0.5, 3)])
def test_noise_comes_on_top_of_interventions(tiny_trace, kind, noise):
    changed = tiny_trace.what_if(NOISED_UNDER[kind])
    noised = noised_pass(changed, noise)
    real = copy.deepcopy(tiny_trace.model)
    module = weight_module(real, noise.layer, noise.weight)
    with torch.no_grad():
        module.weight.copy_(noised.after)
    whole = wx.trace(real, tiny_trace.audio, interventions=NOISED_UNDER[kind])
    assert noised.trace.interventions == changed.interventions
    assert torch.allclose(noised.trace.hidden_states, whole.hidden_states, atol=1e-5)
    assert torch.allclose(noised.trace.output, whole.output, atol=1e-5)
    for layer in range(3):
        assert torch.allclose(noised.trace.attention(layer), whole.attention(layer), atol=1e-5)
    assert not torch.allclose(noised.trace.output, noised_pass(tiny_trace, noise).trace.output, atol=1e-3)
