"""The page of the gate: its words and numbers against the module's weights."""

import io
import math
import re
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from pages import by_name, show_page
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.gates import GatedRows, gate_from, gated_rows, head_gate
from wavlm_explorer.samples import load_sample, sample_textgrid
from wavlm_explorer.views import Note, Working
from wavlm_explorer.views.gate import VIEW, describe_rows, work_through

show = partial(show_page, VIEW)


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("vowels"))


def numbers_of(latex: str) -> list[float]:
    """Every number with decimals, in the order in which it is written."""
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d+", latex)]


def test_the_numbers_written_out_are_those_of_the_weights(nano):
    layer, head, frame = 5, 1, 20
    weights = nano.model.state_dict()
    prefix = f"encoder.layers.{layer}.self_attn."
    share = nano.attention_input(layer)[frame].double().unflatten(0, (nano.num_heads, -1))[head]
    z = weights[f"{prefix}grep_linear.weight"].double() @ share + weights[f"{prefix}grep_linear.bias"].double()
    c = float(weights[f"{prefix}grep_a"].flatten()[head])
    a, b = (1 / (1 + math.exp(-float(half.sum()))) for half in z.split(4))
    gate = a * (b * c - 1) + 2
    (working,) = (item for item in show(nano, layer=layer, head=head, frame=frame) if isinstance(item, Working))
    (_, first), (_, second), (_, third) = working.steps
    for latex, half, share_of_one in ((first, z[:4], a), (second, z[4:], b)):
        assert numbers_of(latex) == pytest.approx([*half.tolist(), float(half.sum()), share_of_one], abs=6e-4)
    assert numbers_of(third) == pytest.approx([a, b, c, gate], abs=6e-4)
    assert gate == pytest.approx(float(nano.gate(layer)[head, frame]), abs=1e-5)


@pytest.mark.parametrize("scale", [-0.69, 1.5])
def test_a_reader_s_sum_of_what_is_written_is_what_is_written(scale):
    trace = make_trace()
    trace.model.encoder.block(1).self_attn.grep_a.data[:] = scale
    (_, first), (_, second), (_, third) = work_through(head_gate(trace, 1, 0), 3).steps
    for latex in (first, second):
        *z, total, share = numbers_of(latex)
        assert len(z) == 4
        assert total == pytest.approx(sum(z), abs=3e-3)
        assert share == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-3)
    a, b, c, gate = numbers_of(third)
    assert gate == pytest.approx(a * (b * c - 1) + 2, abs=3e-3)
    assert (r"\cdot (-0.690)" in third) == (scale < 0)


def test_captions_and_arrays_say_the_same(nano):
    shown = by_name(show(nano, layer=4, head=3, frame=7))
    gate, times = nano.gate(4), nano.frame_times
    assert f"At {float(times[7]):.2f} s, in frame 7, the gate of head 3 is {float(gate[3, 7]):.2f}" in (
        shown["gate_over_time"].caption
    )
    assert np.array_equal(shown["gate_over_time"].arrays()["gate"], gate)
    parts = shown["gate_parts"].arrays()
    assert np.allclose(parts["x"] @ parts["weight"].T + parts["bias"], parts["z"], atol=1e-4)
    assert np.allclose(parts["a"] * (parts["b"] * parts["c"] - 1) + 2, parts["gate"], atol=1e-6)
    assert np.allclose(parts["gate"], gate[3])
    paths = shown["gate_paths"].arrays()
    for source in ("fast path", "slow path", "paper"):
        assert np.array_equal(paths[source.replace(" ", "_")], gate_from(nano, 4, source)[3])
        assert f"{paths[source.replace(' ', '_')].mean():.2f}" in shown["gate_paths"].caption
    factors = shown["gate_compounding"].arrays()["slow_path_compounded"]
    product = math.prod(float(gate_from(nano, layer, "slow path")[3, 7]) for layer in range(6))
    assert factors[5, 3] == pytest.approx(product, rel=1e-5)
    assert f"counts {product:,.3g} times" in shown["gate_compounding"].caption


def test_how_far_a_frame_looks_is_told_in_words():
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.5, 0.4], [0.5, 0.5, 0.0], [0.9, 0.1, 0.0]])
    rows = GatedRows(torch.tensor([1.0, 0, 1, 2]), weights, weights, torch.tensor([60.0, 340, 60, 1500]))
    assert describe_rows(rows) == (
        "With the gate at 0 this frame looks 340 ms away on average instead of 60 ms, and 40% of its attention goes "
        "elsewhere; at 1, 60 ms; at 2, 1.5 s."
    )


def test_a_model_without_a_gate_is_told_so_kindly():
    for kind, lacking, names in (
        ("no gate", "no gate", ["demonstration_formula", "demonstration_gate_bias", "demonstration_gate_attention"]),
        ("no positions", "no relative positions", ["demonstration_formula"]),
    ):
        items = show(make_trace(VARIANTS[kind]))
        assert isinstance(items[0], Note)
        assert lacking in items[0].text
        assert "demonstration" in items[0].text
        assert list(by_name(items)) == names


def test_the_gates_tried_without_a_gate_are_those_beside_1():
    rows = by_name(show(make_trace(VARIANTS["no gate"])))["demonstration_gate_attention"].arrays()
    assert rows["gates"].tolist() == [1, 0, 2]


def test_what_the_lesson_says_to_try_is_so():
    trace = wx.trace(wx.load_model("nano"), load_sample("sentence"))
    assert "layer 5 and head 2" in VIEW.lesson.try_this
    phones = wx.load_labels(io.BytesIO(sample_textgrid("sentence").encode()))[0]
    means = {"s": [], "ɛ": [], "æ": []}
    for phone in phones.intervals:
        inside = (trace.frame_times >= phone.start) & (trace.frame_times < phone.end)
        means.get(phone.text, []).append(float(trace.gate(5)[2, inside].mean()))
    assert len(means["s"]) > 3
    assert max(means["s"]) < 0.6
    assert min(means["ɛ"] + means["æ"]) > 1.9
    for frame in (40, 130, 220):
        own, none, *_ = gated_rows(trace, 5, 5, frame).distance_ms.tolist()
        assert none > 2 * own
