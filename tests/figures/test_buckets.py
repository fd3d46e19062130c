"""Pictures of the bucket rule, against the rule."""

import dataclasses

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import TINY
from traces import make_trace, panels

import wavlm_explorer as wx
from wavlm_explorer import figures
from wavlm_explorer.bias import bucket_rule, clip_buckets, learned_bias, signed_rows
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.buckets import past_and_future
from wavlm_explorer.figures.time_axes import frame_edges
from wavlm_explorer.modules import distance_buckets, relative_position_buckets

CONFIGS = [wx.BASE, wx.WavLMConfig(), TINY, dataclasses.replace(TINY, num_buckets=33, max_distance=9)]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_regions_lie_where_the_rule_puts_them(config):
    rule = bucket_rule(config)
    centre = len(rule.distances) // 2
    for side in (-1, 1):
        rows = rule.buckets[centre:] if side == 1 else rule.buckets[: centre + 1].flip(0)
        exact = rows[1 : rule.num_exact + 1]
        assert len(exact.unique()) == rule.num_exact
        assert (rows[rule.last_from :] == rows[-1]).all()
        assert rows[rule.last_from - 1] != rows[-1]
        assert rule.last_from <= config.max_distance
    assert set(rule.unused) == set(range(config.num_buckets)) - set(rule.buckets.tolist())
    assert config.num_buckets // 2 in rule.unused


def test_base_has_what_the_paper_says():
    rule = bucket_rule(wx.BASE)
    assert (rule.num_exact, rule.unused) == (80, (160,))


def test_signed_rows_order_the_table_by_distance():
    signed = signed_rows(bucket_rule(wx.BASE).buckets, 320)
    assert (signed.diff() >= 0).all()
    assert sorted(set(signed.tolist())) == list(range(-159, 160))


def test_the_clip_reads_the_rows_of_its_matrix():
    trace = make_trace(seconds=0.9)
    matrix = relative_position_buckets(trace.num_frames, TINY.num_buckets, TINY.max_distance)
    assert torch.equal(clip_buckets(trace).unique(), matrix.unique())


def test_the_function_is_drawn_as_it_is():
    trace = make_trace()
    axes = panels(figures.bucket_function(trace))[0]
    rule = bucket_rule(TINY)
    past, future = axes.lines[0], axes.lines[1]
    seconds = np.concatenate([past.get_xdata(), future.get_xdata()])
    assert np.allclose(seconds, rule.distances.numpy() * 0.02)
    assert np.array_equal(np.concatenate([past.get_ydata(), future.get_ydata()]), rule.buckets.numpy())
    assert past.get_color() == LIGHT.contrast
    assert future.get_color() == LIGHT.accent


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_matrix_is_drawn_in_seconds(palette):
    trace = make_trace(seconds=1.3, start=2.0)
    main = panels(figures.bucket_matrix(trace, palette))[1]
    image = main.images[0]
    rows = relative_position_buckets(trace.num_frames, TINY.num_buckets, TINY.max_distance)
    assert np.array_equal(image.get_array(), signed_rows(rows, TINY.num_buckets).float())
    first, last = frame_edges(trace)
    assert main.get_xlim() == pytest.approx((first, last))
    assert main.get_ylim() == pytest.approx((last, first))
    assert image.get_extent() == pytest.approx((first, last, last, first))


def test_every_row_has_a_colour_and_past_and_future_differ():
    colours = np.asarray(past_and_future(160, LIGHT).colors)
    assert len(colours) == 319
    assert np.allclose(colours[0], np.array(tuple(bytes.fromhex(LIGHT.contrast[1:]))) / 255)
    assert np.allclose(colours[-1], np.array(tuple(bytes.fromhex(LIGHT.accent[1:]))) / 255)


def test_rows_that_the_clip_never_reads_are_pale():
    short, long = make_trace(seconds=0.3), make_trace(seconds=2.0)
    for trace, least, most in ((short, 1, 32), (long, 0, 0)):
        bar = panels(figures.bucket_matrix(trace))[2]
        pale = [patch for patch in bar.patches if patch.get_hatch()]
        assert len(pale) == 2
        rows = sum(abs(patch.get_height()) for patch in pale)
        assert least <= rows <= most
        assert rows == pytest.approx(31 - len(clip_buckets(trace).unique()))


def test_curves_and_map_hold_the_table():
    trace = make_trace()
    curves = learned_bias(trace)
    attention = trace.model.encoder.block(0).self_attn
    distances = torch.round(curves.distances_ms / 20).long()
    table = attention.relative_attention_bias.weight.detach()
    assert torch.equal(curves.bias, table[distance_buckets(distances, TINY.num_buckets, TINY.max_distance)].T)
    lines, heads, _ = panels(figures.bias_curves(trace, -1))
    chosen = [line for line in lines.lines if line.get_color() == LIGHT.accent]
    assert np.array_equal(chosen[0].get_ydata(), curves.bias[2])
    assert np.array_equal(chosen[0].get_xdata(), curves.distances_ms)
    mesh = heads.collections[0]
    assert np.array_equal(mesh.get_array(), curves.bias)
    assert lines.get_xlim() == heads.get_xlim()
    assert lines.get_xscale() == heads.get_xscale() == "symlog"
    assert mesh.norm.vmax == -mesh.norm.vmin == float(curves.bias.abs().max())


def test_gates_are_drawn_around_one():
    trace = make_trace(seconds=1.5)
    gates = trace.gate(1)
    _, line, heads, bar = panels(figures.gate_track(trace, 1, 2))
    assert np.array_equal(heads.images[0].get_array(), gates)
    curve = next(drawn for drawn in line.lines if drawn.get_color() == LIGHT.accent)
    assert np.array_equal(curve.get_ydata(), gates[2])
    assert np.allclose(curve.get_xdata(), trace.frame_times)
    assert heads.get_xlim() == line.get_xlim() == pytest.approx(frame_edges(trace))
    low, high = bar.get_ylim()
    assert (low + high) / 2 == pytest.approx(1)
    assert high >= max(2, float(gates.max()))


def test_long_clips_keep_the_gate_furthest_from_one():
    trace = make_trace(seconds=21.0)
    gates = trace.gate(0).numpy()
    image = panels(figures.gate_track(trace, 0, 0))[2].images[0]
    drawn = np.asarray(image.get_array())
    assert drawn.shape == (3, -(-trace.num_frames // 2))
    pairs = gates[:, : 2 * (trace.num_frames // 2)].reshape(3, -1, 2)
    furthest = np.abs(pairs - 1).max(axis=-1)
    assert np.allclose(np.abs(drawn[:, : pairs.shape[1]] - 1), furthest, atol=1e-6)
    assert image.get_extent()[1] - image.get_extent()[0] == pytest.approx(0.04 * drawn.shape[1], rel=1e-4)


@pytest.mark.parametrize("draw", [figures.bias_curves, lambda trace, head: figures.gate_track(trace, 0, head)])
def test_a_head_that_is_not_there_is_named(draw):
    with pytest.raises(IndexError):
        draw(make_trace(), 3)


def test_no_positions_no_curves():
    with pytest.raises(ValueError, match="relative positions"):
        figures.bias_curves(make_trace(VARIANTS["no positions"]), 0)
