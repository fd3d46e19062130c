"""A trace: the promises of the public API, and that nothing is computed in a second way."""

import dataclasses

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import TINY, model_twins, original_modules

import wavlm_explorer as wx
from wavlm_explorer import layer_attention
from wavlm_explorer.tracing import THUMBNAIL_CELLS, trace


def explicit_pass(model, samples):
    """Run the model layer by layer with explicit attention: (states, head weights of each layer)."""
    states, weights, bias = [], [], None
    with torch.inference_mode():
        x = next(iter(model.encoder.states(model.project(model.extract_frames(samples[None])))))
        bias = model.encoder.compute_position_bias(x.shape[0])
        for block in model.encoder.layers:
            states.append(x)
            attended = block.self_attn(block.attention_input(x), need_head_weights=True, position_bias=bias)
            weights.append(attended.weights[:, 0])
            x = x + attended.output
            x = block.feed_forward(x if block.layer_norm_first else block.self_attn_layer_norm(x))
    return [*states, x], weights


def test_tracing_changes_no_output(any_trace):
    samples = torch.tensor(any_trace.audio.samples)
    if any_trace.normalized:
        samples = (samples - samples.mean()) / torch.sqrt(samples.var(correction=0) + 1e-5)
    with torch.inference_mode():
        output, _ = any_trace.model.extract_features(samples[None])
    assert torch.equal(any_trace.output, output[0])
    if any_trace.model.config.layer_norm_first:
        with torch.inference_mode():
            normed = any_trace.model.encoder.layer_norm(any_trace.hidden_states[-1])
        assert torch.equal(any_trace.output, normed)
        assert not torch.equal(any_trace.output, any_trace.hidden_states[-1])
    else:
        assert torch.equal(any_trace.output, any_trace.hidden_states[-1])


def test_a_layer_recomputed_from_its_stored_input_equals_the_explicit_pass_bit_for_bit(any_trace):
    for layer in range(any_trace.num_layers):
        block = any_trace.model.encoder.block(layer)
        x = any_trace.hidden_states[layer].unsqueeze(1)
        bias = any_trace.model.encoder.compute_position_bias(any_trace.num_frames)
        with torch.inference_mode():
            explicit = block.self_attn(block.attention_input(x), need_head_weights=True, position_bias=bias)
        assert torch.equal(any_trace.attention(layer), explicit.weights[:, 0])


def test_explicit_and_fused_passes_agree(any_trace):
    samples = torch.tensor(any_trace.audio.samples)
    if any_trace.normalized:
        samples = (samples - samples.mean()) / torch.sqrt(samples.var(correction=0) + 1e-5)
    states, weights = explicit_pass(any_trace.model, samples)
    for layer, expected in enumerate(weights):
        torch.testing.assert_close(any_trace.hidden_states[layer], states[layer][:, 0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(any_trace.attention(layer), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(any_trace.hidden_states[-1], states[-1][:, 0], atol=1e-5, rtol=1e-5)


def test_the_mean_of_the_heads_is_what_the_original_s_attention_returns():
    original, ours = model_twins(TINY)
    traced = trace(ours, make_audio())
    bias = None
    for layer, block in enumerate(original.encoder.layers):
        x = traced.hidden_states[layer].unsqueeze(1)
        assert isinstance(block.self_attn, original_modules.MultiheadAttention)
        _, mean, bias = block.self_attn(x, x, x, position_bias=bias)
        torch.testing.assert_close(traced.attention(layer).mean(0), mean[0].detach(), atol=1e-6, rtol=1e-5)


def test_attention_s_input_makes_the_gate(any_trace):
    attention = any_trace.model.encoder.block(1).self_attn
    x = any_trace.attention_input(1)
    assert torch.equal(x, any_trace.hidden_states[1]) != any_trace.model.config.layer_norm_first
    assert torch.equal(attention.compute_gate(x[:, None])[0], any_trace.gate(1))


def test_rows_sum_to_one_and_heads_differ(any_trace):
    weights = any_trace.attention(1)
    assert weights.shape == (any_trace.num_heads, any_trace.num_frames, any_trace.num_frames)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2]))
    assert (weights[0] - weights[1]).abs().max() > 1e-3


def test_terms_add_up(any_trace):
    model, frames = any_trace.model, any_trace.num_frames
    terms = any_trace.attention_terms(2, 1)
    assert terms.content.shape == terms.bucket_bias.shape == terms.weights.shape == (frames, frames)
    torch.testing.assert_close(terms.position, terms.gate[:, None] * terms.bucket_bias)
    torch.testing.assert_close(terms.logits, terms.content + terms.position)
    assert torch.equal(terms.weights, any_trace.attention(2, 1)[0])
    assert torch.equal(terms.gate, any_trace.gate(2)[1])
    assert model.config.gru_rel_pos != bool((terms.gate == 1).all())
    assert model.config.relative_position_embedding != bool((terms.bucket_bias == 0).all())


@pytest.mark.parametrize("queries", [None, slice(5, 12), slice(-4, None), slice(0, 30, 7), slice(3, 3)])
@pytest.mark.parametrize("heads", [None, 0, -1, [2, 0], slice(1, 3), np.array([1]), []])
def test_heads_and_queries_select_from_the_whole(tiny_trace, heads, queries):
    whole = tiny_trace.attention(0)
    chosen = [heads] if isinstance(heads, int) else heads
    expected = whole if chosen is None else whole[chosen]
    expected = expected if queries is None else expected[:, queries]
    torch.testing.assert_close(tiny_trace.attention(0, heads, queries), expected)
    if isinstance(heads, int):
        terms = tiny_trace.attention_terms(0, heads, queries)
        torch.testing.assert_close(terms.weights, expected[0])
        assert terms.gate.shape == (expected.shape[1],)


def test_an_overview_holds_the_largest_weight_of_each_cell(tiny_trace, monkeypatch):
    weights = tiny_trace.attention(1)
    assert torch.equal(tiny_trace.attention_overview(1), weights)
    monkeypatch.setattr(layer_attention, "rows_at_once", lambda *_: 9)
    overview = tiny_trace.attention_overview(1, [2, 0], cells=10)
    mean, terms = tiny_trace.mean_attention_overview(1, cells=10), tiny_trace.terms_overview(1, 2, cells=10)
    whole = tiny_trace.attention_terms(1, 2)
    assert overview.shape == (2, 10, 10)
    for row in range(10):
        for column in range(10):
            cell = slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4)
            torch.testing.assert_close(overview[0, row, column], weights[2][cell].max())
            torch.testing.assert_close(mean[row, column], weights.mean(0)[cell].max())
            torch.testing.assert_close(terms.weights[row, column], weights[2][cell].max())
            covered = whole.content[cell].flatten()
            torch.testing.assert_close(terms.content[row, column], covered[covered.abs().argmax()])
        torch.testing.assert_close(terms.gate[row], whole.gate[4 * row : 4 * row + 4].max())


def test_a_layer_is_summarised_once(tiny_trace):
    summary = tiny_trace.layer_summary(-1)
    assert tiny_trace.layer_summary(2) is summary
    assert torch.equal(summary.thumbnails, tiny_trace.attention_overview(2, cells=THUMBNAIL_CELLS))
    assert torch.equal(tiny_trace.measures([2, 0])["entropy"][0], summary.measures["entropy"])


def test_indices_follow_python_s_rules(tiny_trace):
    assert torch.equal(tiny_trace.attention(-1), tiny_trace.attention(2))
    for ask in (tiny_trace.attention, tiny_trace.gate, tiny_trace.attention_input, tiny_trace.feed_forward_input):
        with pytest.raises(IndexError, match=r"layer 3 is out of range: expected 0 to 2, or -3 to -1"):
            ask(3)
    with pytest.raises(IndexError, match=r"head -4 is out of range: expected 0 to 2"):
        tiny_trace.attention(0, heads=[0, -4])
    with pytest.raises(IndexError, match="step of at least 1"):
        tiny_trace.attention(0, queries=slice(None, None, -1))


def test_indices_may_be_any_whole_numbers_and_nothing_else(tiny_trace):
    expected = tiny_trace.attention(1, 2)
    for head in (np.int64(2), np.array(2), torch.tensor(2), torch.tensor([2]), np.array([2]), (2,)):
        assert torch.equal(tiny_trace.attention(np.int64(1), head), expected)
    assert torch.equal(tiny_trace.attention_terms(torch.tensor(1), np.int64(2)).weights, expected[0])
    for head in (0.7, "0", [0.7], ["0"], np.array([True, False]), True):
        with pytest.raises(TypeError, match=r"head: expected a whole number|violates type hint|Type-check"):
            tiny_trace.attention(0, head)
    with pytest.raises(TypeError, match=r"expected a slice|violates type hint|Type-check"):
        tiny_trace.attention(0, queries=5)


def test_glu_is_the_feed_forward_s_own():
    traced = trace(make_model(VARIANTS["glu"]), make_audio())
    terms = traced.glu(1)
    assert terms.output.shape == (traced.num_frames, TINY.encoder_ffn_embed_dim)
    torch.testing.assert_close(terms.gate, torch.nn.functional.silu(terms.gate_input))
    torch.testing.assert_close(terms.output, terms.value * terms.gate)
    block = traced.model.encoder.block(1)
    bias = traced.model.encoder.compute_position_bias(traced.num_frames)
    with torch.inference_mode():
        attended = block.attend(traced.hidden_states[1].unsqueeze(1), bias)[:, 0]
        left = block.final_layer_norm(attended + block.fc2(terms.output))
    torch.testing.assert_close(left, traced.hidden_states[2])


def test_a_feed_forward_without_glu_is_named(tiny_trace):
    with pytest.raises(ValueError, match=r"activation_fn='gelu', so none of its 3 layers has one"):
        tiny_trace.glu(0)


def test_frames_lie_where_they_look():
    traced = trace(make_model(), make_audio(seconds=1.0, start=2.0))
    assert traced.num_frames == (16_000 - 400) // 320 + 1 == len(traced.frame_times)
    assert traced.frame_times[0] == pytest.approx(2.0 + 200 / 16_000)
    assert traced.frame_times[-1] == pytest.approx(2.0 + (320 * 48 + 200) / 16_000)


@pytest.mark.parametrize("normalize", [None, True, False])
def test_normalisation_is_the_model_s_wish_unless_said_otherwise(normalize):
    model, audio = make_model(VARIANTS["pre-norm"]), make_audio()
    traced = trace(model, audio, normalize=normalize)
    assert traced.normalized is (normalize is not False)
    x = torch.tensor(audio.samples).double()
    by_hand = ((x - x.mean()) / torch.sqrt(x.var(correction=0) + 1e-5)).float() if traced.normalized else x.float()
    with torch.inference_mode():
        expected, _ = model.extract_features(by_hand[None])
    torch.testing.assert_close(traced.output, expected[0], atol=1e-4, rtol=1e-4)


def test_results_are_float32_detached_and_on_the_cpu(tiny_trace):
    tensors = [tiny_trace.hidden_states, tiny_trace.output, tiny_trace.gate(0), tiny_trace.frame_times]
    tensors += [tiny_trace.attention(0), *tiny_trace.attention_terms(0, 0), *tiny_trace.measures().values()]
    for tensor in tensors:
        assert tensor.dtype == torch.float32
        assert tensor.device.type == "cpu"
        assert not tensor.requires_grad
        assert not tensor.is_inference(), "a notebook could not use it in a graph of its own"


def test_a_trace_is_frozen(tiny_trace):
    with pytest.raises(dataclasses.FrozenInstanceError):
        tiny_trace.output = None


def test_the_public_api_is_what_the_design_promises():
    model = wx.load_model("nano")
    audio = wx.Audio.from_samples(make_audio().samples, sample_rate=16_000)
    traced = wx.trace(model, audio)
    assert isinstance(traced, wx.Trace)
    assert not model.training
    assert model.source.name == "nano"
    assert set(model.source.fields.values()) <= {"read", "assumed", "overridden"}
    assert wx.figures.attention_map(traced, layer=3, head=2).to_bytes("png").startswith(b"\x89PNG")
