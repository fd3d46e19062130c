"""The page of relative positions: its words and numbers against the rule and the table."""

import dataclasses
import re
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from pages import by_name, notes_of, show_page
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.bias import Preferences, preferences
from wavlm_explorer.buckets import KNOWN_SETTINGS, BucketSettings
from wavlm_explorer.modules import distance_buckets, relative_position_buckets
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views.positions import BOTH_SIDES, PAST_ONLY, VIEW, describe_clip, describe_peak, describe_shares

show = partial(show_page, VIEW)


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def table_of(trace):
    return trace.model.encoder.block(0).self_attn.relative_attention_bias.weight.detach()


def test_at_first_all_is_the_model_s_own():
    trace = make_trace()
    config = trace.model.config
    chosen = VIEW.defaults(trace)
    assert (chosen["bucket_rows"], chosen["bucket_reach"]) == (config.num_buckets, config.max_distance)
    assert chosen["bucket_sides"] == BOTH_SIDES
    arrays = by_name(show(trace))["bucket_matrix"].arrays()
    rows = relative_position_buckets(trace.num_frames, config.num_buckets, config.max_distance)
    assert np.array_equal(arrays["rows"], rows)


def test_what_is_chosen_is_shown():
    trace = make_trace(seconds=1.0)
    shown = by_name(show(trace, head=1, bucket_rows=8, bucket_reach=20, bucket_sides=PAST_ONLY))
    settings = (8, 20, False)
    function, matrix = shown["bucket_function"].arrays(), shown["bucket_matrix"].arrays()
    distances = torch.tensor(function["distances_ms"] / 20).round().long()
    assert np.array_equal(function["rows"], distance_buckets(distances, *settings))
    assert np.array_equal(matrix["rows"], relative_position_buckets(trace.num_frames, *settings))
    assert "8 rows, all for keys before the query" in shown["bucket_function"].caption
    arrays = shown["bias_curves"].arrays()
    lost = np.abs(arrays["bias"][1] - arrays["coarse_bias"][1]).max()
    assert f"by up to {lost:.2f}" in shown["bias_curves"].caption


def test_known_settings_stand_beside_the_model_s_and_those_chosen():
    arrays = by_name(show(make_trace(), bucket_rows=8, bucket_reach=20))["bucket_settings"].arrays()
    assert arrays["settings"].tolist() == [*KNOWN_SETTINGS, "this model", "chosen"]
    assert arrays["num_buckets"].tolist() == [32, 32, 320, 64, 32, 8]
    assert arrays["max_distance"].tolist() == [128, 128, 800, 256, 60, 20]
    assert arrays["bidirectional"].tolist() == [True, False, True, True, True, True]
    for index, most in enumerate(arrays["one_row_from"].tolist()):
        settings = [arrays[name][index].item() for name in ("num_buckets", "max_distance", "bidirectional")]
        past = distance_buckets(-torch.arange(1000), *settings).tolist()
        assert past[: arrays["exact_below"][index]] == list(range(arrays["exact_below"][index]))
        assert past[most - 1] != past[most] == past[-1]
    same = by_name(show(make_trace(), bucket_rows=32, bucket_reach=128))["bucket_settings"].arrays()
    assert same["settings"].tolist() == [*KNOWN_SETTINGS, "this model"]


def test_what_a_checkpoint_lacks_is_said():
    bare, ungated, whole = (show(make_trace(VARIANTS[name])) for name in ("no positions", "no gate", "post-norm"))
    assert "no relative positions" in notes_of(bare)
    assert "no gate" in notes_of(ungated)
    assert not notes_of(whole)
    assert [*by_name(bare)] == ["bucket_function", "bucket_matrix", "bucket_settings"]
    assert [*by_name(whole)] == [*by_name(ungated)] == [*by_name(bare), "bias_curves", "head_peaks", "head_shares"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"bucket_rows": 3}, "3 rows describe \\*\\*no buckets\\*\\*: the rule needs 4 at least"),
        ({"bucket_rows": 1, "bucket_sides": PAST_ONLY}, "the rule needs 2 at least"),
        ({"bucket_reach": 8}, "the first 8 of a side .* must be more than 8 frames; it is 8"),
        ({"bucket_reach": 16, "bucket_sides": PAST_ONLY}, "the first 16 of a side .* must be more than 16 frames"),
    ],
)
def test_settings_without_buckets_are_explained_and_the_table_still_shown(chosen, words):
    items = show(make_trace(), **chosen)
    assert re.search(words, notes_of(items))
    assert [*by_name(items)] == ["bucket_settings", "bias_curves", "head_peaks", "head_shares"]
    assert "chosen" not in by_name(items)["bucket_settings"].arrays()["settings"]


def test_a_model_whose_own_settings_make_no_buckets_is_no_crash():
    config = dataclasses.replace(VARIANTS["no positions"], num_buckets=2, max_distance=1)
    items = show(make_trace(config))
    assert "no buckets" in notes_of(items)
    assert [*by_name(items)] == ["bucket_settings"]
    assert "this model" not in by_name(items)["bucket_settings"].arrays()["settings"]
    assert "bucket_function" in by_name(show(make_trace(config), bucket_rows=8, bucket_reach=20))


@pytest.mark.parametrize(("row", "place"), [(2, "40 ms back"), (0, "at the frame itself"), (17, "20 ms ahead")])
def test_the_peak_is_told_in_words(row, place):
    trace = make_trace()
    table_of(trace).zero_()
    table_of(trace)[row, 1] = 3.0
    words = describe_peak(preferences(trace), 1)
    assert f"Head 1 peaks {place} at +3.00" in words
    assert "20.1 times" in words
    assert "beside it get less than half" in words
    assert "the same bias" in describe_peak(preferences(trace), 0)


def test_how_wide_a_peak_is_and_how_much_at_most():
    trace = make_trace()
    table_of(trace).zero_()
    table_of(trace)[:2, 0] = 30.0
    words = describe_peak(preferences(trace), 0)
    assert "more than 1,000 times" in words
    assert "From 20 ms back to the frame itself it is at least half as much" in words


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.1, 0.6, 0.05, 0.2, 0.05), ("to the past", "70% of its attention would go back, 25% ahead and 5%", "away")),
        (
            (0.3, 0.18, 0.02, 0.2, 0.3),
            ("to neither side", "60% would go farther than 1 s, where 60%", "little difference"),
        ),
        ((0.4, 0.0, 0.0, 0.1, 0.5), ("to the future", "90% would go farther", "looks to them")),
    ],
)
def test_how_a_head_leans_is_told_in_words(shares, words):
    zero, even = torch.zeros(1), torch.tensor((0.3, 0.2, 0.0, 0.2, 0.3))
    told = describe_shares(Preferences(zero, zero, zero, torch.zeros(1, 2), torch.tensor([shares]), even), 0)
    for part in words:
        assert part in told
    short = Preferences(zero, zero, zero, torch.zeros(1, 2), torch.tensor([shares]), torch.tensor((0, 0.5, 0, 0.5, 0)))
    assert "farther" not in describe_shares(short, 0)


def test_which_side_heads_peak_on_is_counted():
    trace = make_trace()
    table_of(trace).zero_()
    for head, row in enumerate((2, 17, 20)):
        table_of(trace)[row, head] = 3.0
    shown = by_name(show(trace))
    assert "1 of 3 heads peak before the query and 2 after it" in shown["head_peaks"].caption
    assert shown["head_peaks"].arrays()["peak_ms"].tolist() == [-40, 20, 80]
    shares = shown["head_shares"].arrays()["shares"]
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.array_equal(shares, preferences(trace).shares)


def test_what_settings_mean_for_the_clip(nano):
    words = describe_clip(nano, BucketSettings(32, 128))
    matrix = relative_position_buckets(nano.num_frames, 32, 128)
    assert f"reads {len(matrix.unique())} of the table's 32 rows, all that any distance leads to" in words
    assert "Of the model's own it reads 63." in words
    far = float(((matrix == 15) | (matrix == 31)).float().mean())
    assert f"{far:.0%} of its pairs of frames are 1.82 s apart or more" in words
    words = describe_clip(nano, BucketSettings(320, 800))
    assert "the others are for longer clips" in words
    assert "None of its distances is so large" in words
    assert "own" not in describe_clip(nano, BucketSettings(64, 256))
    assert "shares the last row" not in describe_clip(make_trace(seconds=0.025), BucketSettings(320, 800))


def test_what_the_lesson_says_to_try_is_so(nano):
    assert "8 buckets and a max distance of 64 frames" in VIEW.lesson.try_this
    assert "reads 63 of" in by_name(show(nano))["bucket_matrix"].caption
    tried = {"bucket_rows": 8, "bucket_reach": 64}
    shown = by_name(show(nano, head=4, **tried))
    assert "reads 7 of" in shown["bucket_matrix"].caption
    assert "are 240 ms apart or more" in shown["bucket_matrix"].caption
    assert "Head 4 peaks 100 ms back" in shown["bias_curves"].caption
    assert "Head 5 peaks 60 ms ahead" in by_name(show(nano, head=5, **tried))["bias_curves"].caption
    arrays = shown["bias_curves"].arrays()
    kept, lost = (
        float(arrays["coarse_bias"][head, np.flatnonzero(arrays["distances_ms"] == place)[0]])
        for head, place in ((4, -100), (5, 60))
    )
    assert kept > 1.5
    assert lost < 0
