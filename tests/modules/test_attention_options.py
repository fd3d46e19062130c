"""MultiheadAttention where the original fails or ignores an argument: checked against the formula written out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import attention_formula, largest_difference, original_modules, twins

from wavlm_explorer.modules import MultiheadAttention

TABLE = {"has_relative_attention_bias": True, "num_buckets": 8, "max_distance": 12}
GATED = {**TABLE, "gru_rel_pos": True}
OPTIONS = st.fixed_dictionaries(
    {
        "bias": st.booleans(),
        "rescale_init": st.booleans(),
        "add_bias_kv": st.booleans(),
        "add_zero_attn": st.booleans(),
        "gru_rel_pos": st.booleans(),
        "has_relative_attention_bias": st.booleans(),
        "kdim": st.sampled_from([None, 6]),
        "vdim": st.sampled_from([None, 10]),
    }
)


@given(OPTIONS, st.integers(1, 6), st.integers(1, 6), st.booleans(), st.integers(0, 99))
def test_any_options_equal_the_formula(options, num_queries, num_keys, masked, seed):
    _, ours = twins("MultiheadAttention", 8, 2, seed=seed, num_buckets=8, max_distance=12, **options)
    query, key = torch.randn(num_queries, 3, 8), torch.randn(num_keys, 3, ours.kdim)
    value = torch.randn(num_keys, 3, ours.vdim)
    bias = ours.compute_bias(num_queries, num_keys) if options["has_relative_attention_bias"] else None
    mask = torch.randn(num_queries, num_keys) if masked else None
    masks = None if mask is None else mask.expand(3, -1, -1)
    expected, weights = attention_formula(ours, query, key, value, bias, masks)
    per_head = ours(query, key, value, attn_mask=mask, need_head_weights=True)
    mean = ours(query, key, value, attn_mask=mask)
    fused = ours(query, key, value, attn_mask=mask, need_weights=False)
    for found in (per_head, mean, fused):
        assert largest_difference(found.output, expected) < 1e-5
    assert largest_difference(per_head.weights, weights) < 1e-5
    assert torch.equal(mean.weights, per_head.weights.mean(0))
    assert fused.weights is None


def test_the_formula_equals_the_original():
    original, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(7, 3, 8)
    output, weights = attention_formula(ours, x, bias=ours.compute_bias(7, 7))
    expected = original(x, x, x)
    assert largest_difference(output, expected[0]) < 1e-5
    assert largest_difference(weights.mean(0), expected[1]) < 1e-5


def test_weights_per_head_differ_where_the_original_averages_them():
    original, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(7, 3, 8)
    averaged = original(x, x, x, need_head_weights=True)[1]
    per_head = ours(x, need_weights=False, need_head_weights=True).weights
    assert averaged.shape == (3, 7, 7)
    assert per_head.shape == (2, 3, 7, 7)
    assert largest_difference(per_head[0], per_head[1]) > 0.1
    assert largest_difference(per_head.mean(0), averaged) < 1e-5


def test_weights_in_training_are_those_before_dropout():
    original, ours = twins("MultiheadAttention", 8, 2, dropout=0.5)
    x = torch.randn(7, 3, 8)
    expected = ours(x).weights
    assert torch.equal(ours.train()(x).weights, expected)
    assert largest_difference(original.train()(x, x, x)[1], expected) > 1e-2


def test_key_and_value_stand_in_for_each_other():
    _, ours = twins("MultiheadAttention", 8, 2)
    x, key = torch.randn(4, 2, 8), torch.randn(6, 2, 8)
    assert torch.equal(ours(x).output, ours(x, x, x).output)
    assert torch.equal(ours(x, key).output, ours(x, key, key).output)


@pytest.mark.parametrize("mode", ["self_attention", "encoder_decoder_attention"])
def test_key_and_value_given_are_used_in_every_mode(mode):
    original, ours = twins("MultiheadAttention", 8, 2, **{mode: True})
    query, key, value = (torch.randn(5, 2, 8) for _ in range(3))
    expected = original(query, key, value)[0]
    for static in (False, True):
        assert largest_difference(ours(query, key, value, static_kv=static).output, expected) < 1e-5
    assert largest_difference(original(query, key, value, static_kv=True)[0], expected) > 1e-2


@pytest.mark.parametrize("static", [False, True])
def test_quant_noise_is_drawn_on_every_path(static):
    original, ours = twins("MultiheadAttention", 8, 2, q_noise=0.3, qn_block_size=4, self_attention=True)
    x = torch.randn(5, 2, 8)
    for module in (original.train(), ours.train()):
        torch.manual_seed(1)
        for _ in range(3):
            module(x, x, x, static_kv=static)
    names = ["q_proj.weight", "k_proj.weight", "v_proj.weight", "out_proj.weight"]
    drawn = [torch.equal(ours.get_parameter(name), original.get_parameter(name)) for name in names]
    assert all(drawn) if static else not any(drawn)  # the original's fast path steps around its own hooks
    assert all((ours.get_parameter(name) == 0).any() for name in names)


def test_quant_noise_blocks_must_divide_every_input():
    with pytest.raises(ValueError, match="block_size=5"):
        MultiheadAttention(8, 2, q_noise=0.1, qn_block_size=5)
    with pytest.raises(ValueError, match="expected a divisor of 6"):
        MultiheadAttention(8, 2, kdim=6, q_noise=0.1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((8, 3), {}, "embed_dim must be divisible by num_heads: found 8 and 3"),
        ((8, 0), {}, "embed_dim must be divisible by num_heads"),
        ((8, -2), {}, "embed_dim must be divisible by num_heads"),
        ((8, 2), {"self_attention": True, "kdim": 6}, "query, key and value to be of the same size"),
        ((8, 2), {"self_attention": True, "vdim": 6}, "query, key and value to be of the same size"),
        ((8, 2), {"has_relative_attention_bias": True, "num_buckets": 3}, "num_buckets >= 4"),
        ((8, 2), {"has_relative_attention_bias": True, "num_buckets": 32, "max_distance": 8}, "max_distance > 8"),
    ],
)
def test_contradictions_are_refused_at_once(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        MultiheadAttention(*arguments, **options)


def test_the_original_fails_late_or_not_at_all_on_few_buckets():
    original = original_modules.MultiheadAttention(8, 2, **(TABLE | {"num_buckets": 3}))
    with pytest.raises(ZeroDivisionError):
        original.compute_bias(3, 3)


def test_inputs_that_do_not_fit_are_refused():
    ours = MultiheadAttention(8, 2, kdim=6, vdim=6)
    x, key = torch.randn(4, 2, 8), torch.randn(5, 2, 6)
    for query, key_given, value in ((x, x, x), (x, key, key[:4]), (x, key[:, :1], key[:, :1]), (x, key, key[..., :5])):
        with pytest.raises(ValueError, match="query, key, value: expected shapes"):
            ours(query, key_given, value)
    with pytest.raises(ValueError, match="expected the encoder's output"):
        ours(x)
    with pytest.raises(ValueError, match=r"position_bias: expected \[4, 4, 5\]"):
        ours(x, key, key, position_bias=torch.zeros(4, 4, 4))


def test_one_bias_serves_the_whole_batch():
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x, bias = torch.randn(5, 3, 8), torch.randn(2, 5, 5)
    shared, repeated = ours(x, position_bias=bias), ours(x, position_bias=bias.repeat(3, 1, 1))
    assert largest_difference(shared.output, repeated.output) < 1e-6
    assert shared.position_bias is bias


@pytest.mark.parametrize("option", [{"bias": False}, {"rescale_init": True}])
def test_the_original_fails_without_biases(option):
    original = original_modules.MultiheadAttention(8, 2, **option)
    x = torch.randn(4, 2, 8)
    with pytest.raises(TypeError):
        original(x, x, x)
    assert (original.k_proj.bias is None) == ("rescale_init" in option)
    assert (MultiheadAttention(8, 2, **option).k_proj.bias is None) == ("rescale_init" in option)


def test_the_original_fails_on_a_bias_between_unequal_lengths_and_with_further_keys():
    query, key = torch.randn(4, 2, 8), torch.randn(6, 2, 8)
    with pytest.raises(RuntimeError):
        original_modules.MultiheadAttention(8, 2, **TABLE)(query, key, key)
    with pytest.raises(RuntimeError):
        original_modules.MultiheadAttention(8, 2, add_zero_attn=True, **TABLE)(query, query, query, static_kv=True)
    with pytest.raises(AssertionError):
        original_modules.MultiheadAttention(8, 2, add_bias_kv=True)(query, query, query, static_kv=True)
    with pytest.raises(AssertionError):
        original_modules.MultiheadAttention(8, 2)(query, None, None)
