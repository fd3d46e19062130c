"""Settings of the bucket rule and what a clip makes of them, against counting by hand."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import TINY
from transformers import T5Config

import wavlm_explorer as wx
from wavlm_explorer.buckets import (
    KNOWN_SETTINGS,
    BucketSettings,
    bucket_rule,
    clip_distances,
    clip_reading,
    own_settings,
    signed_rows,
)
from wavlm_explorer.modules import distance_buckets, relative_position_buckets

CONFIGS = [wx.BASE, wx.WavLMConfig(), TINY, dataclasses.replace(TINY, num_buckets=33, max_distance=9)]
SETTINGS = [own_settings(config) for config in CONFIGS] + [
    BucketSettings(*each[:2], bidirectional=False) for each in ((32, 128), (16, 32), (320, 800), (2, 2))
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_regions_lie_where_the_rule_puts_them(settings):
    rule = bucket_rule(settings)
    centre = len(rule.distances) // 2
    for side in (-1, 1) if settings.bidirectional else (-1,):
        rows = rule.buckets[centre:] if side == 1 else rule.buckets[: centre + 1].flip(0)
        exact = rows[1 : settings.num_exact + 1]
        assert len(exact.unique()) == settings.num_exact
        assert (rows[rule.last_from :] == rows[-1]).all()
        assert rows[rule.last_from - 1] != rows[-1]
        assert rule.last_from <= settings.max_distance
    assert set(rule.unused) == set(range(settings.num_buckets)) - set(rule.buckets.tolist())
    assert (settings.num_buckets // 2 in rule.unused) == settings.bidirectional


def test_one_side_gives_the_whole_future_row_0():
    rule = bucket_rule(BucketSettings(32, 128, bidirectional=False))
    assert not rule.buckets[rule.distances >= 0].any()
    assert rule.unused == ()
    assert rule.buckets.max() == 31


def test_base_has_what_the_paper_says():
    assert own_settings(wx.BASE).num_exact == 80
    assert bucket_rule(own_settings(wx.BASE)).unused == (160,)


def test_the_known_settings_are_those_of_the_models():
    config = T5Config()
    for name in ("T5, encoder", "T5, decoder"):
        known = KNOWN_SETTINGS[name]
        assert known[:2] == (config.relative_attention_num_buckets, config.relative_attention_max_distance)
        assert known.bidirectional == (name == "T5, encoder")
    assert KNOWN_SETTINGS["WavLM, as released"] == (320, 800, True)
    assert KNOWN_SETTINGS["nano"] == own_settings(wx.load_model("nano").config)


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_settings_make_buckets_where_the_rule_takes_them(num_buckets, max_distance, bidirectional):
    settings = BucketSettings(num_buckets, max_distance, bidirectional)
    try:
        distance_buckets(torch.arange(3), *settings)
    except ValueError:
        assert not settings.makes_buckets
    else:
        assert settings.makes_buckets


@pytest.mark.parametrize("bidirectional", [True, False])
def test_signed_rows_order_the_table_by_distance(bidirectional):
    settings = BucketSettings(320, 800, bidirectional)
    signed = signed_rows(bucket_rule(settings).buckets, settings)
    assert (signed.diff() >= 0).all()
    assert sorted(set(signed.tolist())) == list(range(-159, 160) if bidirectional else range(-319, 1))


@pytest.mark.parametrize("num_frames", [1, 2, 60, 300])
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_clip_reads_the_rows_of_its_matrix(settings, num_frames):
    matrix = relative_position_buckets(num_frames, *settings)
    reading, rule = clip_reading(num_frames, settings), bucket_rule(settings)
    assert reading.num_rows == len(matrix.unique())
    assert reading.num_usable == len(rule.buckets.unique())
    is_last = (matrix == rule.buckets[0]) | ((matrix == rule.buckets[-1]) & settings.bidirectional)
    assert reading.last_row_share == pytest.approx(float(is_last.float().mean()), abs=1e-6)


def test_distances_of_a_clip():
    assert clip_distances(3).tolist() == [-2, -1, 0, 1, 2]
    assert clip_distances(1).tolist() == [0]


def test_from_the_formula_nothing_is_told_apart_beyond_the_last_row():
    n, m, limit = 160, 80, 800
    first = min(
        d for d in range(m, limit + 1) if m + math.floor((n - m) * math.log(d / m) / math.log(limit / m)) >= n - 1
    )
    assert bucket_rule(own_settings(wx.BASE)).last_from == first
