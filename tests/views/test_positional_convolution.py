"""The page of the positional convolution: its words and numbers against the checkpoint's weights."""

import dataclasses
import re
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import VARIANTS, make_audio
from pages import by_name, show_page
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.positional_convolution import Kernel, positional_kernel, positional_pass, share_beyond_clip
from wavlm_explorer.samples import load_sample
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.views import Note, Working
from wavlm_explorer.views.positional_convolution import VIEW, half_energy_reach, work_through

show = partial(show_page, VIEW)


def by_hand(trace):
    """What enters, every output of the convolution, and its kernel, from the bare weights."""
    weights, config = trace.model.state_dict(), trace.model.config
    samples = torch.tensor(trace.audio.samples)
    if trace.normalized:
        samples = (samples - samples.mean()) / (samples.var(correction=0) + 1e-5).sqrt()
    with torch.no_grad():
        x = trace.model.extract_features(samples[None], ret_conv=True)[0][0]  # [frames, width]
    direction = weights["encoder.pos_conv.0.weight_v"]
    kernel = direction / direction.square().sum(dim=(0, 1)).sqrt() * weights["encoder.pos_conv.0.weight_g"]
    bias, half = weights["encoder.pos_conv.0.bias"], config.conv_pos // 2
    outputs = F.conv1d(x.T[None], kernel, bias, padding=half, groups=config.conv_pos_groups)[0].T
    return x, outputs, kernel


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_sizes_and_changes_are_those_of_the_weights(config):
    trace = make_trace(config)
    before = digest(trace.model)
    x, outputs, _ = by_hand(trace)
    right, wrong = F.gelu(outputs[:-1]), F.gelu(outputs[1:])
    entering, misplaced = x + right, x + wrong
    if not config.layer_norm_first:
        entering, misplaced = (trace.model.encoder.layer_norm(state).detach() for state in (entering, misplaced))
    assert torch.allclose(entering, trace.hidden_states[0], atol=1e-5)
    passed = positional_pass(trace)
    assert passed.num_outputs == len(outputs) == trace.num_frames + 1
    for ours, theirs in (
        (passed.input_size, x.square().mean(dim=1).sqrt()),
        (passed.added_size, right.square().mean(dim=1).sqrt()),
        (passed.change_of_added, (wrong - right).norm(dim=1) / right.norm(dim=1)),
        (passed.change_of_entering, (misplaced - entering).norm(dim=1) / entering.norm(dim=1)),
    ):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert positional_pass(trace) is passed
    assert digest(trace.model) == before


def test_the_kernel_is_that_of_the_weights():
    trace = make_trace(VARIANTS["pre-norm"])
    _, _, weights = by_hand(trace)
    energy = weights.square().sum(dim=(0, 1))
    kernel = positional_kernel(trace)
    assert kernel.distances.tolist() == list(range(-8, 8))
    assert torch.allclose(kernel.energy, energy / energy.sum(), atol=1e-6)
    for frame, beyond in ((0, energy[:8].sum()), (3, energy[:5].sum()), (trace.num_frames - 1, energy[9:].sum())):
        shares = share_beyond_clip(kernel, trace.num_frames)
        assert float(shares[frame]) == pytest.approx(float(beyond / energy.sum()), abs=1e-6)
    assert f"At frame 3, {float(energy[:5].sum() / energy.sum()):.0%} of it" in (
        by_name(show(trace, frame=3))["positional_kernel"].caption
    )


def test_half_of_the_energy_is_counted_on_both_sides():
    kernel = Kernel(torch.arange(-2, 2), torch.tensor([0.4, 0.15, 0.3, 0.15]))
    assert half_energy_reach(kernel) == 1
    assert half_energy_reach(kernel._replace(energy=torch.tensor([0.0, 0, 1, 0]))) == 0
    assert half_energy_reach(kernel._replace(energy=torch.tensor([1.0, 0, 0, 0]))) == 2


def test_the_shapes_are_those_that_the_modules_make():
    trace = make_trace()
    x = torch.zeros(1, trace.num_frames, 24)
    shapes = [x.shape]
    with torch.no_grad():
        x = x.transpose(1, 2)
        shapes.append(x.shape)
        for index in range(2):
            x = trace.model.encoder.pos_conv[index](x)
            shapes.append(x.shape)
    shapes.append(x.transpose(1, 2).shape)
    (working,) = (item for item in show(trace) if isinstance(item, Working))
    written = [tuple(map(int, re.findall(r"\d+", latex))) for _, latex in working.steps]
    assert written == [tuple(shape) for shape in shapes]
    assert "frames + 2 · 8 − 16 + 1" in working.steps[2][0]


def test_an_odd_kernel_leaves_nothing_over():
    trace = make_trace(dataclasses.replace(VARIANTS["post-norm"], conv_pos=15))
    items = show(trace)
    (note,) = (item for item in items if isinstance(item, Note))
    assert "15 taps, an odd number" in note.text
    assert list(by_name(items)) == ["positional_kernel", "positional_sizes"]
    assert "nothing to cut" in work_through(10, 4, 15).steps[3][0]


def test_a_trace_from_a_file_is_told_kindly_what_is_missing():
    trace = wx.load_trace(pack_trace(make_trace()), "cpu")
    working, note = show(trace)
    assert isinstance(working, Working)
    assert isinstance(note, Note)
    assert "not the convolutions" in note.text
    for ask in (positional_kernel, positional_pass):
        with pytest.raises(ValueError, match="without the convolutions"):
            ask(trace)


def test_captions_and_arrays_say_the_same():
    trace = wx.trace(make_trace().model, make_audio(0.5, start=3.0))
    shown, passed = by_name(show(trace, frame=5)), positional_pass(trace)
    sizes, shift = shown["positional_sizes"], shown["positional_shift"]
    assert f"measures {float(passed.added_size[5]):.2f}, what it is added to {float(passed.input_size[5]):.2f}" in (
        sizes.caption
    )
    assert np.array_equal(sizes.arrays()["added_size"], passed.added_size)
    assert f"by {float(passed.change_of_added.mean()):.0%} of its size on average" in shift.caption
    assert f"at frame 5 by {float(passed.change_of_added[5]):.0%}" in shift.caption
    assert "20 ms later" in shift.caption
    assert np.array_equal(shift.arrays()["frame_times"], trace.frame_times)


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("sentence"))
    passed = positional_pass(trace)
    assert "frame from 0 to 6" in VIEW.lesson.try_this
    assert torch.allclose(passed.input_size[:7], passed.input_size[0].expand(7), rtol=1e-4)
    growth = passed.added_size[6] / passed.added_size[0]
    assert 1.4 < float(growth) < 1.6
    assert (share_beyond_clip(positional_kernel(trace), trace.num_frames)[:7].diff() < 0).all()
