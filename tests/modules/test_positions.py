"""The bucket rule, enumerated against the original and against values worked out by hand."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_modules
from transformers.models.t5.modeling_t5 import T5Attention

from wavlm_explorer.modules import distance_buckets, relative_position_buckets

DISTANCES = torch.arange(-2000, 2001)
RELEASED = (320, 800)
SETTINGS = [RELEASED, (320, 1280), (32, 128), (16, 32), (64, 256), (128, 512), (4, 2), (5, 9), (7, 3), (320, 81)]


def original_buckets(distances, num_buckets, max_distance, bidirectional=True):
    settings = SimpleNamespace(num_buckets=num_buckets, max_distance=max_distance)
    return original_modules.MultiheadAttention._relative_positions_bucket(settings, distances, bidirectional)


@pytest.mark.parametrize(
    ("num_buckets", "max_distance", "bidirectional"),
    [(*setting, True) for setting in SETTINGS]
    + [(*setting, False) for setting in SETTINGS if setting[1] > setting[0] // 2],
)
def test_every_distance_equals_the_original(num_buckets, max_distance, bidirectional):
    ours = distance_buckets(DISTANCES, num_buckets, max_distance, bidirectional)
    assert torch.equal(ours, original_buckets(DISTANCES, num_buckets, max_distance, bidirectional))
    assert ours.dtype == torch.long


@given(st.integers(4, 500), st.integers(1, 3000), st.booleans())
def test_any_setting_equals_the_original(num_buckets, beyond, bidirectional):
    num_exact = (num_buckets // 2 if bidirectional else num_buckets) // 2
    setting = (num_buckets, num_exact + beyond, bidirectional)
    assert torch.equal(distance_buckets(DISTANCES, *setting), original_buckets(DISTANCES, *setting))


@given(st.integers(4, 500), st.integers(1, 3000), st.booleans())
def test_the_rule_is_that_of_t5(num_buckets, beyond, bidirectional):
    max_distance = (num_buckets // 2 if bidirectional else num_buckets) // 2 + beyond
    theirs = T5Attention._relative_position_bucket(DISTANCES, bidirectional, num_buckets, max_distance)
    assert torch.equal(distance_buckets(DISTANCES, num_buckets, max_distance, bidirectional), theirs)


VALUES = {0: 0, 1: 161, 79: 239, 80: 240, 81: 240, 82: 240, 83: 241, 85: 242, 100: 247, 400: 295, 777: 318, 778: 319}
PAST_VALUES = {-1: 1, -79: 79, -80: 80, -777: 158, -778: 159, -90_000: 159}


@pytest.mark.parametrize(("distance", "bucket"), list((VALUES | PAST_VALUES).items()))
def test_values_of_the_released_models(distance, bucket):
    assert distance_buckets(torch.tensor(distance), *RELEASED) == bucket


@pytest.mark.parametrize(("num_frames", "num_rows"), [(49, 97), (249, 239), (499, 287), (800, 319), (1500, 319)])
def test_rows_of_the_table_that_a_clip_touches(num_frames, num_rows):
    assert relative_position_buckets(num_frames, *RELEASED).unique().numel() == num_rows


@given(st.integers(2, 100).map(lambda half: 2 * half), st.integers(1, 500))
def test_the_middle_row_is_never_used(num_buckets, beyond):
    buckets = distance_buckets(DISTANCES, num_buckets, num_buckets // 4 + beyond)
    assert num_buckets // 2 not in buckets
    assert 0 <= buckets.min() <= buckets.max() < num_buckets


@given(st.integers(4, 200), st.integers(1, 500), st.booleans())
def test_buckets_never_fall_as_distance_grows(num_buckets, beyond, bidirectional):
    past = distance_buckets(-torch.arange(2000), num_buckets, num_buckets + beyond, bidirectional)
    assert (past.diff() >= 0).all()


def test_one_direction_puts_the_future_with_distance_zero():
    assert (distance_buckets(torch.arange(0, 50), 32, 128, bidirectional=False) == 0).all()


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("num_frames", [0, 1, 2, 200])
def test_a_clip_is_its_distances(num_frames, bidirectional):
    buckets = relative_position_buckets(num_frames, 32, 128, bidirectional)
    assert buckets.shape == (num_frames, num_frames)
    for query in range(min(num_frames, 3)):
        expected = distance_buckets(torch.arange(num_frames) - query, 32, 128, bidirectional)
        assert torch.equal(buckets[query], expected)


@pytest.mark.parametrize(("num_buckets", "max_distance"), [(0, 100), (3, 100), (4, 1), (320, 80), (320, 0), (32, -1)])
def test_settings_without_buckets_are_refused(num_buckets, max_distance):
    with pytest.raises(ValueError, match="expected num_buckets >= 4 and max_distance >"):
        relative_position_buckets(10, num_buckets, max_distance)


def test_a_long_table_in_one_direction_is_refused_too():
    with pytest.raises(ValueError, match="num_buckets >= 2 and max_distance > 160"):
        distance_buckets(DISTANCES, 320, 160, bidirectional=False)
    with pytest.raises(ValueError, match="num_buckets >= 2"):
        distance_buckets(DISTANCES, 1, 100, bidirectional=False)
