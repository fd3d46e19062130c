"""The page of the activations: its curves, numbers and words, against the functions and the model's weights."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import VARIANTS
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer.activations import CURVES, compare_gelus, own_activation, pre_activations, refusal
from wavlm_explorer.figures import LIGHT
from wavlm_explorer.modules import get_activation_fn
from wavlm_explorer.modules.activations import ACTIVATIONS
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Exhibit, Note
from wavlm_explorer.views.activations import VIEW


def show(trace, **chosen):
    items = list(VIEW.exhibits(trace, LIGHT, **{**VIEW.defaults(trace), **chosen}))
    (note,) = (item for item in items if isinstance(item, Note))
    return {item.name: item for item in items if isinstance(item, Exhibit)}, note.text


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "gelu_fast"])
def test_the_curves_are_what_the_names_return(name):
    assert CURVES[name] is get_activation_fn(name)


def test_what_reaches_the_activation_without_a_glu():
    trace = make_trace(VARIANTS["pre-norm"])
    weights = trace.model.state_dict()
    x = trace.feed_forward_input(1)
    fc1 = x @ weights["encoder.layers.1.fc1.weight"].T + weights["encoder.layers.1.fc1.bias"]
    torch.testing.assert_close(pre_activations(trace, 1), fc1)
    assert own_activation(trace.model.config) == "gelu"


def test_what_reaches_the_activation_of_a_glu_is_the_gate():
    trace = make_trace(VARIANTS["glu"])
    assert torch.equal(pre_activations(trace, -1), trace.glu(-1).gate_input)
    assert own_activation(trace.model.config) == "swish"
    torch.testing.assert_close(CURVES["swish"](pre_activations(trace, 2)), trace.glu(2).gate)
    with pytest.raises(IndexError, match="layer 3 is out of range"):
        pre_activations(trace, 3)


def test_the_two_gelus_lie_where_the_page_says():
    gelus = compare_gelus()
    x = gelus.x.double()
    exact = x * (1 + torch.erf(x / math.sqrt(2))) / 2
    tanh = x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    torch.testing.assert_close(gelus.difference.double(), tanh - exact, atol=2e-6, rtol=0)  # float32
    assert gelus.largest == pytest.approx(4.73e-4, abs=2e-6)
    assert gelus.where == pytest.approx(2.70, abs=0.02)
    shown, _ = show(make_trace())
    assert "0.00047 apart, near x = ±2.7" in shown["gelu_difference"].caption
    _, below = panels(shown["gelu_difference"].picture)
    assert np.allclose(below.lines[0].get_ydata(), 1e4 * gelus.difference.numpy())


def test_the_words_are_counted_from_the_numbers():
    trace = make_trace(VARIANTS["glu"])
    inputs = trace.glu(1).gate_input
    shown, _ = show(trace, layer=1, activation="relu")
    arrays = shown["pre_activations"].arrays()
    assert np.array_equal(arrays["before"], inputs)
    assert np.array_equal(arrays["after"], F.relu(inputs))
    change = (F.relu(inputs) - F.silu(inputs)).norm() / F.silu(inputs).norm()
    caption = shown["pre_activations"].caption
    assert f"{float((inputs < 0).float().mean()):.0%} of the numbers are negative" in caption
    assert f"relu brings {float((inputs < 0.01).float().mean()):.0%} of all nearer to 0" in caption
    assert f"In place of swish it would move what is left by {float(change):.2g} of its length" in caption
    assert "In place of" not in show(trace)[0]["pre_activations"].caption


@pytest.mark.parametrize("name", CURVES)
def test_any_curve_can_be_chosen(name):
    shown, _ = show(make_trace(), activation=name)
    (axes,) = panels(shown["activation_curves"].picture)
    (chosen,) = (line for line in axes.lines if line.get_color() == LIGHT.accent)
    x = torch.tensor(np.asarray(chosen.get_xdata()))
    assert np.allclose(chosen.get_ydata(), CURVES[name](x), atol=6e-4)
    own = [line.get_label() for line in axes.lines if "this model" in str(line.get_label())]
    assert own == ["gelu, gelu_accurate, gelu_fast (this model)"]
    assert set(shown["activation_curves"].arrays()) == {"x", *CURVES}


def test_the_table_holds_every_name_and_the_refusal():
    _, words = show(make_trace())
    for name in ACTIVATIONS:
        row = next(line for line in words.splitlines() if line.startswith((f"| {name} |", f"| **{name}** ")))
        numbers = [float(cell.replace("−", "-")) for cell in row.split("|")[3:-1]]
        assert numbers == pytest.approx(ACTIVATIONS[name](torch.tensor([-2, -0.5, 0.5, 2])).tolist(), abs=6e-4)
    assert "| **gelu** (this model) | `gelu` |" in words
    assert "| gelu_fast | `gelu_accurate` |" in words
    assert refusal("gelu") == ""
    with pytest.raises(RuntimeError) as error:
        get_activation_fn("swish")
    assert str(error.value) in words


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("sentence"))
    assert "layer 3" in VIEW.lesson.try_this
    inputs = trace.glu(3).gate_input
    assert float((F.relu(inputs) == 0).float().mean()) > 0.5
    assert float((F.silu(inputs).abs() < 0.01).float().mean()) < 0.05


def test_the_shape_behind_the_curve_is_the_histogram_of_the_clip():
    trace = make_trace(VARIANTS["glu"])
    inputs = trace.glu(1).gate_input
    (axes,) = panels(show(trace, layer=1)[0]["pre_activations"].picture)
    (shape,) = axes.patches
    heights, edges, baseline = shape.get_data()
    shares = (heights - baseline) / (heights - baseline).max()
    counts, _ = np.histogram(inputs.numpy(), bins=edges)
    assert np.allclose(shares, counts / counts.max(), atol=2 / counts.max())  # a number on an edge may fall either way
    assert counts.sum() == pytest.approx(0.998 * inputs.numel(), abs=3)
    x, y = axes.lines[0].get_data()
    assert np.allclose(y, F.silu(torch.tensor(np.asarray(x))), atol=1e-6)
