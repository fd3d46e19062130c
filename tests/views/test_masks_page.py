"""The page of the masks: its maps against the attention's own forward, its words against the maps."""

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer.figures import LIGHT
from wavlm_explorer.masks import MASK_KINDS, drawn_key, extra_key_weights, masked_attention
from wavlm_explorer.modules import MultiheadAttention
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Exhibit
from wavlm_explorer.views.masks import VIEW

LAYER, HEAD, START = 1, 2, 15


def show(trace, **chosen):
    items = VIEW.exhibits(trace, LIGHT, **{**VIEW.defaults(trace), **chosen})
    return {item.name: item for item in items if isinstance(item, Exhibit)}


def masks_by_hand(frames: int, kind: str, start: int):
    """(attn_mask, key_padding_mask) as a caller would write them."""
    causal = torch.zeros(frames, frames)
    padding = torch.zeros(1, frames, dtype=torch.bool)
    for query in range(frames):
        causal[query, query + 1 :] = -torch.inf
    padding[0, start:] = True
    return (None if kind == "key padding" else causal), (None if kind == "causal" else padding)


def forward_weights(trace, kind, start, extra=False):
    """What `MultiheadAttention.forward` returns for this head, in an attention that may have two keys more."""
    config, own = trace.model.config, trace.model.encoder.block(LAYER).self_attn
    attention = MultiheadAttention(
        config.encoder_embed_dim, trace.num_heads, gru_rel_pos=own.gru_rel_pos, self_attention=True,
        add_bias_kv=extra, add_zero_attn=extra,
    ).eval()  # fmt: skip
    attention.load_state_dict(own.state_dict(), strict=not extra)
    if attention.bias_k is not None:
        attention.bias_k.data[:] = drawn_key(config.encoder_embed_dim)
    causal, padding = masks_by_hand(trace.num_frames, kind, start)
    bias = trace.model.encoder.compute_position_bias(trace.num_frames)
    x = trace.attention_input(LAYER)[:, None]
    with torch.no_grad():
        result = attention(x, key_padding_mask=padding, attn_mask=causal, position_bias=bias, need_head_weights=True)
    return result.weights[HEAD, 0]


@pytest.mark.parametrize("kind", MASK_KINDS)
@pytest.mark.parametrize("start", [0, START])
@pytest.mark.parametrize("variant", ["post-norm", "pre-norm", "no gate", "no positions"])
def test_the_maps_are_what_forward_computes(variant, start, kind):
    trace = make_trace(VARIANTS[variant])
    attention = masked_attention(trace, LAYER, HEAD, kind, start)
    torch.testing.assert_close(attention.masked, forward_weights(trace, kind, start), atol=1e-6, rtol=1e-5)
    extra = extra_key_weights(trace, LAYER, HEAD, kind, start)
    torch.testing.assert_close(extra, forward_weights(trace, kind, start, extra=True)[:, -2:], atol=1e-6, rtol=1e-5)
    assert torch.equal(attention.plain, trace.attention(LAYER, HEAD)[0])


def test_no_padding_hides_nothing():
    trace = make_trace()
    attention = masked_attention(trace, LAYER, HEAD, "key padding", trace.num_frames)
    assert not attention.hidden.any()
    assert torch.equal(attention.masked, attention.plain)
    assert not attention.moved.any()


def test_unknown_masks_are_refused():
    with pytest.raises(ValueError, match="expected one of key padding, causal, both; found 'streaming'"):
        masked_attention(make_trace(), 0, 0, "streaming", 3)


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_captions_and_arrays_say_the_same(kind):
    trace = make_trace()
    shown = show(trace, layer=LAYER, head=HEAD, mask=kind, padding_start=START)
    maps, moves, extra = (shown[name] for name in ("mask_maps", "mask_moves", "demonstration_extra_keys"))
    causal, padding = masks_by_hand(trace.num_frames, kind, START)
    hidden = np.zeros((trace.num_frames, trace.num_frames), bool)
    for mask in (causal, padding):
        hidden |= False if mask is None else np.asarray(mask != 0)
    arrays = maps.arrays()
    assert np.array_equal(arrays["hidden"], hidden)
    assert not arrays["with_mask"][hidden].any()
    assert f"{hidden.mean():.0%} of all cells are hidden" in maps.caption
    moved = (arrays["without_mask"] * hidden).sum(axis=1)
    assert moves.arrays()["moved"] == pytest.approx(moved, abs=1e-6)
    assert moves.arrays()["row_sums"] == pytest.approx(np.ones(trace.num_frames), abs=1e-5)
    assert "Rows still sum to 1" in moves.caption
    assert f"On average {moved.mean():.0%} of a frame's attention" in moves.caption
    learned, zero = (extra.arrays()[name] for name in ("add_bias_kv", "add_zero_attn"))
    assert f"they take {learned.mean():.2%} and {zero.mean():.2%}" in extra.caption
    assert f"{(learned + zero).max():.1%}, from frame {(learned + zero).argmax()}" in extra.caption
    assert ("No frame looks ahead" in maps.caption) == (kind != "key padding")
    assert (f"last {trace.num_frames - START} of {trace.num_frames} keys" in maps.caption) == (kind != "causal")


def test_without_a_key_left_all_goes_to_the_keys_that_were_added():
    trace = make_trace()
    shown = show(trace, mask="key padding", padding_start=0)
    assert "No frame has a key left" in shown["mask_moves"].caption
    extra = shown["demonstration_extra_keys"].arrays()
    assert np.allclose(extra["add_bias_kv"] + extra["add_zero_attn"], 1)


def test_the_pictures_hold_the_numbers():
    trace = make_trace()
    shown = show(trace, layer=LAYER, head=HEAD, mask="both", padding_start=START)
    arrays = shown["mask_maps"].arrays()
    maps = [panel.images[0].get_array() for panel in panels(shown["mask_maps"].picture) if panel.images][:3]
    for drawn, name in zip(maps, ("without_mask", "hidden", "with_mask"), strict=True):
        assert np.array_equal(drawn, arrays[name])
    for name, expected in (
        ("mask_moves", ("row_sums", "moved")),
        ("demonstration_extra_keys", ("add_bias_kv", "add_zero_attn")),
    ):
        curves, numbers = panels(shown[name].picture)[1].lines, shown[name].arrays()
        for line, key in zip(curves, expected, strict=False):
            assert np.array_equal(line.get_ydata(), numbers[key])
    even = panels(shown["demonstration_extra_keys"].picture)[1].lines[2].get_ydata()
    assert even == pytest.approx(1 / (2 + (~arrays["hidden"]).sum(axis=1)))


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("sentence"))
    assert "layer 5" in VIEW.lesson.try_this
    ahead, back = (float(masked_attention(trace, 5, head, "causal", 0).moved.mean()) for head in (5, 4))
    assert ahead > 0.9
    assert back == pytest.approx(0.25, abs=0.03)
