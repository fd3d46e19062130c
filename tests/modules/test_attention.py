"""MultiheadAttention wherever the original works: both of its paths, its draws, its gradients."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import attention_formula, largest_difference, original_modules, twins

from wavlm_explorer.modules import MultiheadAttention, distance_buckets

# Torch warns of how the original joins a boolean padding mask and a float bias.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")

TABLE = {"has_relative_attention_bias": True, "num_buckets": 8, "max_distance": 12}
GATED = {**TABLE, "gru_rel_pos": True}
FLAGS = ["bias", "add_bias_kv", "has_relative_attention_bias", "gru_rel_pos", "rescale_init"]


@pytest.mark.parametrize("widths", [{}, {"kdim": 6}, {"vdim": 10}, {"kdim": 6, "vdim": 10}, {"kdim": 8, "vdim": 8}])
@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=len(FLAGS))))
def test_same_seed_same_weights_and_keys(flags, widths):
    options = dict(zip(FLAGS, flags, strict=True)) | widths
    states = []
    for source in (original_modules.MultiheadAttention, MultiheadAttention):
        torch.manual_seed(5)
        states.append(source(8, 2, **options).state_dict())
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_attributes_equal_the_original():
    names = ["embed_dim", "num_heads", "kdim", "vdim", "qkv_same_dim", "scaling"]
    names += [
        "head_dim",
        "q_head_dim",
        "k_head_dim",
        "self_attention",
        "encoder_decoder_attention",
        "add_zero_attn",
        "num_buckets",
        "max_distance",
    ]
    names += ["has_relative_attention_bias", "gru_rel_pos", "bias_k", "bias_v"]
    for options in ({}, {"kdim": 6, "encoder_decoder_attention": True}, {"self_attention": True, **GATED}):
        original, ours = twins("MultiheadAttention", 8, 2, dropout=0.25, **options)
        assert [getattr(ours, name) for name in names] == [getattr(original, name) for name in names]
        assert ours.dropout_module.p == original.dropout_module.p


@given(
    st.integers(1, 3),
    st.integers(1, 14),
    st.integers(1, 3),
    st.integers(1, 5),
    st.sampled_from([{}, TABLE, GATED]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_the_fast_path_equals_the_original(batch, frames, heads, size, table, pads, need_weights, seed):
    original, ours = twins("MultiheadAttention", heads * size, heads, self_attention=True, seed=seed, **table)
    x = torch.randn(frames, batch, heads * size)
    padding = torch.arange(frames)[None, :] >= torch.randint(1, frames + 1, (batch, 1)) if pads else None
    options = {"key_padding_mask": padding, "need_weights": need_weights}
    expected, found = original(x, x, x, **options), ours(x, x, x, **options)
    assert largest_difference(found.output, expected[0]) < 1e-5
    if need_weights:
        assert largest_difference(found.weights, expected[1]) < 1e-5
    else:
        assert found.weights is expected[1] is None
    if table:
        assert torch.equal(found.position_bias, expected[2])
    else:
        assert found.position_bias is None


@pytest.mark.parametrize("extra", [{"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 6}, {"kdim": 6, "vdim": 9}])
def test_the_fast_path_on_other_inputs_equals_the_original(extra):
    original, ours = twins("MultiheadAttention", 8, 2, **extra)
    query, key = torch.randn(4, 3, 8), torch.randn(7, 3, ours.kdim)
    value = torch.randn(7, 3, ours.vdim)
    padding = torch.arange(7)[None, :] >= torch.tensor([[7], [3], [1]])
    expected, found = (module(query, key, value, padding) for module in (original, ours))
    for theirs, mine in zip(expected[:2], found[:2], strict=True):
        assert largest_difference(mine, theirs) < 1e-5


@pytest.mark.parametrize("owner", [True, False])
def test_a_bias_given_replaces_the_own_one(owner):
    original, ours = twins("MultiheadAttention", 8, 2, **(GATED if owner else {"gru_rel_pos": True}))
    x, bias = torch.randn(5, 3, 8), torch.randn(6, 5, 5)
    expected, found = (module(x, x, x, position_bias=bias) for module in (original, ours))
    assert largest_difference(found.output, expected[0]) < 1e-5
    assert found.position_bias is bias
    assert expected[2] is bias


@pytest.mark.parametrize("mode", [{}, {"self_attention": True}, {"encoder_decoder_attention": True}])
@pytest.mark.parametrize("options", [{}, TABLE, {"bias": False}, {"rescale_init": True}, {"add_zero_attn": True}])
def test_the_slow_path_equals_the_original_without_a_gate(mode, options):
    original, ours = twins("MultiheadAttention", 8, 2, **mode, **options)
    x = torch.randn(5, 3, 8)
    padding = torch.arange(5)[None, :] >= torch.tensor([[5], [3], [1]])
    mask = torch.randn(5, 5)
    for kwargs in ({}, {"need_head_weights": True}, {"key_padding_mask": padding}, {"attn_mask": mask}):
        expected, found = (module(x, x, x, static_kv=True, **kwargs) for module in (original, ours))
        assert largest_difference(found.output, expected[0]) < 1e-5
        assert largest_difference(found.weights, expected[1]) < 1e-5


@pytest.mark.parametrize("table", [{}, TABLE, GATED])
def test_before_softmax_equals_the_slow_path_of_the_original(table):
    original, ours = twins("MultiheadAttention", 8, 2, self_attention=True, **table)
    x, mask = torch.randn(5, 3, 8), torch.randn(5, 5)
    padding = torch.arange(5)[None, :] >= torch.tensor([[5], [3], [1]])
    for kwargs in ({}, {"key_padding_mask": padding}, {"attn_mask": mask, "key_padding_mask": padding}):
        expected = original(x, x, x, static_kv=True, before_softmax=True, **kwargs)
        for static in (False, True):
            logits, value, bias = ours(x, x, x, static_kv=static, before_softmax=True, **kwargs)
            assert torch.equal(logits.isneginf(), expected[0].isneginf())
            assert largest_difference(logits.nan_to_num(neginf=0), expected[0].nan_to_num(neginf=0)) < 1e-5
            assert largest_difference(value, expected[1]) < 1e-5
            assert bias is None if not table else torch.equal(bias, expected[2])


def test_the_gate_reads_the_raw_query_on_every_path():
    original, ours = twins("MultiheadAttention", 8, 2, self_attention=True, **GATED)
    x = torch.randn(9, 2, 8)
    fast, slow = original(x, x, x), original(x, x, x, static_kv=True)
    for static in (False, True):
        found = ours(x, x, x, static_kv=static)
        assert largest_difference(found.output, fast[0]) < 1e-5
        assert torch.equal(found.position_bias, fast[2])
    assert largest_difference(fast[0], slow[0]) > 1e-3
    assert largest_difference(fast[2], slow[2]) > 1e-3


def test_the_slow_path_gate_is_at_hand_for_comparison():
    original, ours = twins("MultiheadAttention", 8, 2, self_attention=True, **GATED)
    x = torch.randn(9, 2, 8)
    gated = original(x, x, x, static_kv=True)[2].view(2, 2, 9, 9)
    assert largest_difference(ours.compute_slow_path_gate(x)[..., None] * ours.compute_bias(9, 9), gated) < 1e-5


def test_the_paper_s_gate_reads_the_projected_query():
    ours = twins("MultiheadAttention", 8, 2, self_attention=True, **GATED)[1]
    x = torch.randn(9, 2, 8)
    q = ours.q_proj(x).view(9, 2, 2, 4).permute(1, 2, 0, 3)  # [batch, heads, frames, head_dim]
    update, reset = torch.sigmoid(ours.grep_linear(q).view(2, 2, 9, 2, 4).sum(-1) * torch.tensor([-1, 1])).unbind(-1)
    candidate = ours.grep_a.squeeze(-1) * reset  # times the bias d: r = d + update d + (1 - update) candidate d
    assert largest_difference(ours.compute_paper_gate(x), 1 + update + (1 - update) * candidate) < 1e-6
    assert largest_difference(ours.compute_paper_gate(x), ours.compute_slow_path_gate(x)) > 1e-3
    assert largest_difference(ours.compute_paper_gate(x), ours.compute_gate(x)) > 1e-3


@pytest.mark.parametrize("need_weights", [True, False])
def test_gradients_equal_the_original(need_weights):
    gradients = []
    for module in twins("MultiheadAttention", 8, 2, self_attention=True, **GATED):
        x = torch.linspace(-1, 1, 120).sin().view(5, 3, 8).requires_grad_()
        (module(x, x, x, need_weights=need_weights)[0] ** 2).sum().backward()
        gradients.append({"input": x.grad} | {name: entry.grad for name, entry in module.named_parameters()})
    for name, theirs in gradients[0].items():
        assert largest_difference(gradients[1][name], theirs) < 1e-5, name


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_draws_as_the_original(need_weights):
    original, ours = twins("MultiheadAttention", 8, 2, self_attention=True, dropout=0.5, **GATED)
    x, outputs = torch.randn(6, 2, 8), []
    for module in (original.train(), ours.train()):
        torch.manual_seed(3)
        outputs.append(module(x, x, x, need_weights=need_weights)[0])
    assert largest_difference(*outputs) < 1e-5
    assert largest_difference(outputs[1], ours.eval()(x).output) > 1e-2


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.bfloat16, 0.1)])
@pytest.mark.parametrize("need_weights", [True, False])
def test_other_precisions_work(dtype, tolerance, need_weights):
    _, ours = twins("MultiheadAttention", 8, 2, **GATED)
    x = torch.randn(5, 2, 8).to(dtype)
    ours = ours.to(dtype)
    expected, weights = attention_formula(ours, x, bias=ours.compute_bias(5, 5))
    found = ours(x, need_weights=need_weights)
    assert found.output.dtype == dtype
    assert largest_difference(found.output.double(), expected) < tolerance
    if need_weights:
        assert largest_difference(found.weights.double(), weights.mean(0)) < tolerance


@pytest.mark.parametrize("need_weights", [True, False])
def test_gradcheck(need_weights):
    _, ours = twins("MultiheadAttention", 4, 2, add_bias_kv=True, add_zero_attn=True, **GATED)
    ours.double()
    x = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    parameters = tuple(ours.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: ours(x, need_weights=need_weights).output, (x, *parameters))


def test_the_bias_is_the_table_looked_up():
    original, ours = twins("MultiheadAttention", 8, 2, **TABLE)
    for queries, keys in ((1, 1), (5, 5), (3, 30), (30, 3)):
        assert torch.equal(ours.compute_bias(queries, keys), original.compute_bias(queries, keys))
        whole = ours.compute_bias(queries + 4, keys)
        assert torch.equal(ours.compute_bias(queries, keys, query_offset=4), whole[:, 4:])
    distances = torch.tensor([-50, -3, 0, 2, 11])
    rows = ours.relative_attention_bias.weight[distance_buckets(distances, 8, 12)]
    assert torch.equal(ours.bias_of_distances(distances), rows.T)
