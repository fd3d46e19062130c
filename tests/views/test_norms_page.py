"""The page of the norms: what reaches a norm, each way to compute it, and the page's words, against a hand's sums."""

import math
import re

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer.figures import LIGHT
from wavlm_explorer.figures.norms import latex_number
from wavlm_explorer.modules import Fp32GroupNorm, Fp32LayerNorm
from wavlm_explorer.norms import (
    HALF_TYPES,
    NORM_KINDS,
    SCALES,
    compare_norms,
    errors_by_scale,
    norm_input,
    norm_subject,
)
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Exhibit, Note, Working
from wavlm_explorer.views.norms import VIEW


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def show(trace, **chosen):
    items = list(VIEW.exhibits(trace, LIGHT, **{**VIEW.defaults(trace), **chosen}))
    return {item.name: item for item in items if isinstance(item, Exhibit)}, items


@pytest.mark.parametrize("kind", ["post-norm", "pre-norm", "glu"])
@pytest.mark.parametrize("layer", [0, 2])
def test_what_reaches_the_norm_becomes_what_the_model_goes_on_with(kind, layer):
    trace = make_trace(VARIANTS[kind])
    norm, x = norm_input(trace, layer)
    after = trace.attention_input(layer) if kind == "pre-norm" else trace.hidden_states[layer + 1]
    with torch.no_grad():
        torch.testing.assert_close(norm(x), after)


def test_the_exact_norm_is_that_of_numpy(nano):
    norm, x = norm_input(nano, 3)
    x, weight, bias = (tensor.detach().double().numpy() for tensor in (x, norm.weight, norm.bias))
    variance = x.var(axis=1, keepdims=True)
    expected = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(variance + norm.eps) * weight + bias
    compared = compare_norms(norm_subject(nano, 3, "layer norm"), "float16", 1.0)
    assert np.allclose(compared.exact.output, expected, atol=1e-5)
    assert np.allclose(compared.exact.variance, variance[:, 0], rtol=1e-5)


@pytest.mark.parametrize("half", HALF_TYPES)
@pytest.mark.parametrize("kind", NORM_KINDS)
def test_the_protected_norm_is_the_module_s(nano, half, kind):
    _, x = norm_input(nano, 3)
    halved = (100 * x).to(HALF_TYPES[half])
    block = nano.model.encoder.block(3)
    if kind == "layer norm":
        module = Fp32LayerNorm(x.shape[1])
        module.load_state_dict(block.final_layer_norm.state_dict())
        expected = module(halved)
    else:
        expected = Fp32GroupNorm(x.shape[1], x.shape[1], affine=False)(halved.T[None])[0]
    compared = compare_norms(norm_subject(nano, 3, kind), half, 100.0)
    assert torch.equal(compared.protected, expected.float())


def test_one_frame_in_float16_by_hand(nano):
    norm, x = norm_input(nano, 3)
    values = (x[40] * 10).numpy().astype(np.float16)
    mean = np.float16(values.astype(np.float32).mean())
    centred = values - mean
    variance = np.float16((centred * centred).astype(np.float32).mean())
    root = np.sqrt(np.float16(variance + np.float16(norm.eps)))
    weight, bias = (tensor.detach().numpy().astype(np.float16) for tensor in (norm.weight, norm.bias))
    compared = compare_norms(norm_subject(nano, 3, "layer norm"), "float16", 10.0)
    assert float(compared.half.variance[40]) == float(variance)
    assert np.array_equal(compared.half.output[40], (centred / root * weight + bias).astype(np.float32))


def test_the_variance_is_lost_where_a_square_is_beyond_float16(nano):
    subject = norm_subject(nano, 3, "layer norm")
    half, wide = (compare_norms(subject, name, 100.0) for name in HALF_TYPES)
    squares = (100 * (subject.rows - subject.rows.mean(dim=1, keepdim=True))).square().amax(dim=1)
    assert torch.equal(half.overflowed, squares > 65_520)  # the middle between the largest number and the next
    assert not wide.overflowed.any()
    assert torch.equal(half.half.output[0], subject.norm.bias.half().float())


def test_what_is_no_number_is_infinitely_wrong():
    trace = make_trace()
    subject = norm_subject(trace, 1, "layer norm")
    compared = compare_norms(subject, "float16", 1e6)
    assert compared.protected.isnan().any()
    assert torch.isinf(compared.error(compared.protected)).any()
    assert all(curve.isfinite().all() for curve in (errors_by_scale(subject, "bfloat16"), compared.exact.output))
    with pytest.raises(ValueError, match="expected one of layer norm, group norm; found 'batch norm'"):
        norm_subject(trace, 1, "batch norm")


@pytest.mark.parametrize("kind", NORM_KINDS)
@pytest.mark.parametrize("times", ["1", "1000"])
def test_captions_and_arrays_say_the_same(nano, kind, times):
    shown, items = show(nano, layer=2, norm=kind, times=times)
    prefix = "demonstration_" if kind == "group norm" else ""
    assert bool(prefix) == any(isinstance(item, Note) and "demonstration" in item.text for item in items)
    arrays = shown[f"{prefix}norm_errors"].arrays()
    lost = (np.abs(arrays["float16"] - arrays["exact"]).max(axis=1) > 0.5).sum()
    caption = shown[f"{prefix}norm_errors"].caption
    assert caption.startswith(f"{lost:,} of" if lost else "Every variance fits into float16.")
    assert (lost > 0) == (times == "1000")
    curve = shown[f"{prefix}norm_error_by_scale"].arrays()["float16"][SCALES.index(float(times))]
    assert curve.tolist() == pytest.approx(
        [np.abs(arrays[name] - arrays["exact"]).max() for name in ("float32_inside", "float16")], rel=1e-5
    )
    assert f"in float16 is {curve[1]:.2g}, with float32 inside the norm {curve[0]:.2g}" in (
        shown[f"{prefix}norm_error_by_scale"].caption
    )


@pytest.mark.parametrize("kind", NORM_KINDS)
def test_the_numbers_written_out_are_those_of_the_row(nano, kind):
    _, items = show(nano, layer=3, frame=40, norm=kind, times="10")
    (working,) = (item for item in items if isinstance(item, Working))
    _, x = norm_input(nano, 3)
    channel = int(x[40].abs().argmax())
    values = 10 * (x[40] if kind == "layer norm" else x[:, channel]).double()
    written = [[float(number) for number in re.findall(r"[-+]?\d+\.\d+", step[1])] for step in working.steps]
    assert f"{'Frame 40' if kind == 'layer norm' else f'Channel {channel}'}: the mean" in working.steps[0][0]
    assert written[0][0] == pytest.approx(float(values.mean()), abs=6e-4)
    variance = float(values.var(correction=0))
    assert float(working.steps[1][1].split("=")[1].split("\\")[0].replace("{,}", "")) == pytest.approx(
        variance, abs=0.6
    )
    if kind == "group norm":
        assert written[2][0] == pytest.approx(
            (float(10 * x[40, channel]) - float(values.mean())) / variance**0.5, abs=1e-3
        )


def test_numbers_that_are_lost_can_be_written():
    assert [latex_number(number) for number in (math.inf, -math.inf, math.nan, 12_345.0, -1.0)] == [
        r"\infty", r"-\infty", r"\text{NaN}", "12{,}345", "-1.000",
    ]  # fmt: skip


def test_the_picture_shows_every_frame_before_and_after(nano):
    above, below = panels(show(nano, layer=3, times="10")[0]["norm_before_after"].picture)
    _, x = norm_input(nano, 3)
    assert np.allclose(above.lines[0].get_ydata(), 10 * x.mean(dim=1), atol=1e-4)
    assert np.allclose(below.lines[0].get_ydata(), nano.hidden_states[4].mean(dim=1), atol=1e-4)
    assert below.get_xlabel() == "time (s)"


def test_what_the_lesson_says_to_try_is_so(nano):
    assert "layer 3" in VIEW.lesson.try_this
    subject = norm_subject(nano, 3, "layer norm")
    assert float(100 * subject.rows.abs().max()) < 2000
    assert compare_norms(subject, "float16", 100.0).overflowed.all()
    wide = compare_norms(subject, "bfloat16", 1.0)
    narrow = compare_norms(subject, "float16", 1.0)
    assert wide.error(wide.half.output).max() > 5 * narrow.error(narrow.half.output).max()
