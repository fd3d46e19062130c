"""The page of decoding step by step: each step against attention by hand, the words against the numbers."""

import math

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import TINY
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer.figures import LIGHT
from wavlm_explorer.incremental_decoding import MAX_STEPS, count_work, decode
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Exhibit, Note, WholeNumber
from wavlm_explorer.views.decoding import VIEW

PREFIX = "demonstration_decoding_"


def show(trace, **chosen):
    items = list(VIEW.exhibits(trace, LIGHT, **{**VIEW.defaults(trace), **chosen}))
    (note,) = (item for item in items if isinstance(item, Note))
    return {item.name.removeprefix(PREFIX): item for item in items if isinstance(item, Exhibit)}, note.text


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layer", [0, 2])
def test_each_row_is_the_softmax_over_the_keys_so_far(variant, layer):
    trace = make_trace(VARIANTS[variant])
    decoding = decode(trace, layer)
    for head in range(trace.num_heads):
        logits = trace.attention_terms(layer, head).logits
        for step in range(trace.num_frames):
            row = torch.softmax(logits[step, : step + 1], dim=0)
            torch.testing.assert_close(decoding.step_by_step[head, step, : step + 1], row, atol=1e-6, rtol=1e-5)
    assert not decoding.step_by_step.triu(1).any()
    torch.testing.assert_close(decoding.at_once, decoding.step_by_step, atol=1e-6, rtol=1e-5)
    assert float(decoding.output_difference.max()) < 1e-5


def test_the_outputs_compared_are_those_of_the_attention():
    trace = make_trace()
    attention, x = trace.model.encoder.block(1).self_attn, trace.attention_input(1)[:, None]
    bias = trace.model.encoder.block(0).self_attn.compute_bias(trace.num_frames, trace.num_frames)
    causal = torch.ones(trace.num_frames, trace.num_frames).triu(1).bool()
    last = trace.num_frames - 1
    with torch.no_grad():
        whole = attention(x, attn_mask=causal, position_bias=bias, need_head_weights=True).output
        alone = attention(x[last:], x, position_bias=bias[:, last:], need_head_weights=True).output
    assert float(decode(trace, 1).output_difference[last]) == pytest.approx(
        float((whole[last] - alone[0]).abs().max()), abs=1e-6
    )


def test_the_latest_layer_is_remembered():
    trace = make_trace()
    first = decode(trace, 1)
    assert decode(trace, 1) is first
    assert decode(trace, -2) is first
    assert decode(trace, 2) is not first
    with pytest.raises(IndexError, match="layer 3 is out of range"):
        decode(trace, 3)


def test_the_memory_holds_a_key_and_a_value_for_each_frame():
    trace = make_trace()
    assert decode(trace, 1).kept == 2 * trace.num_frames * TINY.encoder_embed_dim


def test_the_work_is_counted_by_hand():
    width, work = 8, count_work(8, 3)
    for step in range(3):
        keys = step + 1
        logits_and_sum = 2 * keys * width + 2 * keys * width
        one = 2 * width * width
        assert float(work.with_memory[step]) == logits_and_sum + 4 * one  # query, key, value and output
        assert float(work.without[step]) == logits_and_sum + 2 * one + 2 * keys * one


def test_a_long_clip_is_shown_in_part():
    trace = make_trace(seconds=5.4)
    assert trace.num_frames > MAX_STEPS
    shown, note = show(trace, step=MAX_STEPS - 1)
    assert f"Here the first {MAX_STEPS} of {trace.num_frames} frames enter" in note
    assert shown["rows"].arrays()["weights"].shape == (MAX_STEPS, MAX_STEPS)
    assert "Here the first" not in show(make_trace())[1]


def test_captions_and_arrays_say_the_same():
    trace = make_trace()
    step, (shown, note) = 9, show(trace, layer=1, head=2, step=9)
    assert "demonstration" in note
    row = shown["row"].arrays()
    largest = int(row["step_by_step"].argmax())
    weight = f"{row['step_by_step'][largest]:.3f}"
    assert f"at frame {largest}, {step - largest} frames back, with a weight of {weight}." in shown["row"].caption
    assert "It has 10 keys to look at, all of which but its own were in the memory" in shown["rows"].caption
    differences = shown["differences"].arrays()
    expected = np.abs(decode(trace, 1).step_by_step.numpy() - decode(trace, 1).at_once.numpy()).max(axis=(0, 2))
    assert np.array_equal(differences["weights"], expected)
    assert f"the weights are at most {expected.max():.1e} apart" in shown["differences"].caption
    work = shown["work"].arrays()
    kept = 2 * (step + 1) * TINY.encoder_embed_dim
    ratio = work["without_memory"][: step + 1].sum() / work["with_memory"][: step + 1].sum()
    assert f"After step {step} the memory holds {kept:,} numbers" in shown["work"].caption
    assert (
        f"{work['without_memory'][step] / work['with_memory'][step]:.3g} times the operations" in shown["work"].caption
    )
    assert f"all steps so far {ratio:.3g} times" in shown["work"].caption


def test_the_pictures_hold_the_rows():
    trace = make_trace()
    shown, _ = show(trace, layer=1, head=2, step=9)
    image = panels(shown["rows"].picture)[0].images[0].get_array()
    rows = decode(trace, 1).step_by_step[2]
    seen = torch.ones_like(rows).tril().bool()
    seen[10:] = False
    assert np.array_equal(~np.ma.getmaskarray(image), seen)
    assert np.array_equal(np.ma.filled(image, 0), torch.where(seen, rows, 0))
    whole, stepped = panels(shown["row"].picture)[1].lines[:2]
    assert np.array_equal(stepped.get_ydata(), rows[9, :10])
    assert np.array_equal(whole.get_ydata(), decode(trace, 1).at_once[2, 9])
    first, last = panels(shown["row"].picture)[1].get_xlim()
    assert first < float(trace.frame_times[0]) < float(trace.frame_times[-1]) < last


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("sentence"))
    assert "layer 3, head 4" in VIEW.lesson.try_this
    assert "step 249" in VIEW.lesson.try_this
    decoding = decode(trace, 3)
    assert float(decoding.weight_difference.max()) < 1e-5
    (last,) = (
        choice.maximum for choice in VIEW.choices(trace) if isinstance(choice, WholeNumber) and choice.name == "step"
    )
    assert last == 249
    work = count_work(trace.model.config.encoder_embed_dim, 250)
    assert math.floor(float(work.without[249] / work.with_memory[249])) > 50
