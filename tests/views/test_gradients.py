"""The page of gradients: what it shows against gradients computed by hand, and the model left alone."""

import copy
import re
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import original_modules
from pages import show_page
from torch import nn
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.front_end_gradients import STRETCH_SECONDS, front_end_gradients, learning_weights
from wavlm_explorer.samples import load_sample
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.views import Note
from wavlm_explorer.views.gradients import VIEW

show = partial(show_page, VIEW)


def by_hand(trace, frame, scale):
    """Gradients of every weight, with the original's GradMultiply in a front end put together module by module."""
    model = copy.deepcopy(trace.model).requires_grad_(True)
    samples = torch.tensor(trace.audio.samples)
    if trace.normalized:
        samples = (samples - samples.mean()) / (samples.var(correction=0) + 1e-5).sqrt()
    middle, half = 320 * frame + 200, round(STRETCH_SECONDS * 16_000) // 2
    begin = max(0, min(middle - half, len(samples) - 2 * half))
    x = samples[begin : begin + 2 * half][None, None]
    for block in model.feature_extractor.conv_layers:
        x = block(x)
    x = original_modules.GradMultiply.apply(x, scale)
    x = model.layer_norm(x.transpose(1, 2))
    if model.post_extract_proj is not None:
        x = nn.functional.linear(x, model.post_extract_proj.weight, model.post_extract_proj.bias)
    return x[0].detach(), torch.autograd.grad(x.square().mean(), [*learning_weights(model).values()])


@pytest.mark.parametrize("config", [VARIANTS["post-norm"], VARIANTS["pre-norm"]], ids=["post-norm", "pre-norm"])
@pytest.mark.parametrize(("frame", "scale"), [(12, 0.1), (0, 1.0), (23, 0.35)])
def test_sizes_are_those_of_gradients_by_hand(config, frame, scale):
    trace = make_trace(config)
    output, gradients = by_hand(trace, frame, scale)
    passed = front_end_gradients(trace, frame, scale)
    assert torch.allclose(passed.output, output, atol=1e-5)
    assert passed.objective == pytest.approx(float(output.square().mean()), rel=1e-5)
    assert passed.sizes.tolist() == pytest.approx([float(one.norm()) for one in gradients], rel=1e-4)
    for gradient, step in zip(gradients, passed.adam_steps.tolist(), strict=True):
        weight = nn.Parameter(torch.zeros_like(gradient))
        weight.grad = gradient
        torch.optim.Adam([weight], lr=1.0).step()
        assert step == pytest.approx(float(weight.detach().norm()), rel=1e-4)


def test_only_what_is_before_the_scale_is_scaled_and_the_way_forward_is_the_same():
    trace = make_trace(VARIANTS["glu"])
    passes = {scale: front_end_gradients(trace, 10, scale) for scale in (1.0, 0.25, 0.1, 0.0)}
    num_convolutions = len(trace.model.feature_extractor.conv_layers)
    for scale, passed in passes.items():
        assert torch.equal(passed.output, passes[1.0].output)
        before, behind = (
            sizes.split([num_convolutions, len(sizes) - num_convolutions])
            for sizes in (passed.sizes, passes[1.0].sizes)
        )
        assert torch.allclose(before[0], scale * behind[0], rtol=1e-5)
        assert torch.equal(before[1], behind[1])
    assert not passes[0.0].sizes[:num_convolutions].any()
    assert (passes[0.1].sizes > 0).all()


def test_the_model_is_only_read():
    trace = make_trace()
    for weight in trace.model.parameters():
        weight.requires_grad_(False)
    before = digest(trace.model)
    show(trace, gradient_scale=0.2)
    assert digest(trace.model) == before
    assert all(weight.grad is None and not weight.requires_grad for weight in trace.model.parameters())
    assert not trace.model.feature_extractor.training
    assert trace.model.config.feature_grad_mult == 1.0


def test_the_latest_frame_is_remembered():
    trace = make_trace()
    first = front_end_gradients(trace, 3, 0.5)
    assert front_end_gradients(trace, 3, 1.0) is not first
    assert front_end_gradients(trace, 3, 0.5) is first
    assert not torch.equal(front_end_gradients(trace, 20, 0.5).sizes, first.sizes)
    assert front_end_gradients(trace, 3, 0.5) is not first


@pytest.mark.parametrize("scale", [0.0, 0.1, 0.5, 1.0])
def test_captions_and_arrays_say_the_same(scale):
    trace = make_trace()
    sizes, steps = show(trace, frame=9, gradient_scale=scale)
    arrays = sizes.arrays()
    assert set(arrays["scales"]) == {scale, 1.0, 0.1}
    for each, norms in zip(arrays["scales"], arrays["norms"], strict=True):
        assert np.array_equal(norms, front_end_gradients(trace, 9, each).sizes)
    assert "the same numbers bit for bit" in sizes.caption
    if scale == 0:
        assert "no gradient" in sizes.caption
    else:
        written = [float(number) for number in re.findall(r"\d\.\d{4}", sizes.caption)]
        assert written
        assert written == pytest.approx([scale] * len(written), abs=1e-4)
    assert f"is {scale:.3f} times as long by gradient descent" in steps.caption
    assert f"and {steps.arrays()['adam'][:7].mean():.3f} times by Adam" in steps.caption


def test_a_trace_from_a_file_is_told_kindly_what_is_missing():
    trace = wx.load_trace(pack_trace(make_trace()), "cpu")
    (note,) = show(trace)
    assert isinstance(note, Note)
    assert "not the convolutions" in note.text
    with pytest.raises(ValueError, match="without the convolutions"):
        front_end_gradients(trace, 0, 1.0)


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("vowels"))
    assert "from 1 to 0.1" in VIEW.lesson.try_this
    _, steps = show(trace, gradient_scale=0.1)
    first = 7
    assert np.allclose(steps.arrays()["gradient_descent"][:first], 0.1, atol=1e-4)
    assert (steps.arrays()["adam"][:first] > 0.97).all()
