"""compute_mask_indices, against the original with the same seed, and where the original fails."""

# ruff: noqa: NPY002 - the original draws from numpy's global generator

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_wavlm

from wavlm_explorer.span_masking import compute_mask_indices

KINDS = ["static", "uniform", "normal", "poisson"]


def drawn(function, seed, *arguments, **options):
    np.random.seed(seed)
    return function(*arguments, **options), np.random.random()


@given(
    batch=st.integers(1, 4),
    num_frames=st.integers(30, 300),
    mask_prob=st.floats(0, 1),
    mask_length=st.integers(1, 12),
    mask_type=st.sampled_from(KINDS),
    mask_other=st.integers(0, 2),
    min_masks=st.integers(1, 3),
    pads=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_spans_that_may_overlap_are_the_original_s(
    batch, num_frames, mask_prob, mask_length, mask_type, mask_other, min_masks, pads, seed
):
    lengths = np.random.RandomState(seed).randint(25, num_frames + 1, size=(batch, 1))
    padding = torch.arange(num_frames) >= torch.from_numpy(lengths) if pads else None
    arguments = ((batch, num_frames), padding, mask_prob, mask_length, mask_type, mask_other, min_masks)
    expected, next_expected = drawn(original_wavlm.compute_mask_indices, seed, *arguments)
    found, next_found = drawn(compute_mask_indices, seed, *arguments)
    assert np.array_equal(found, expected)
    assert next_found == next_expected
    assert len(set(found.sum(axis=1))) == 1


@pytest.mark.parametrize("num_frames", range(1, 25))
@pytest.mark.parametrize("mask_type", KINDS)
def test_clips_shorter_than_the_spans_equal_the_original(num_frames, mask_type):
    for seed in range(10):
        arguments = ((2, num_frames), None, 0.65, 10, mask_type, 3, 1)
        expected = drawn(original_wavlm.compute_mask_indices, seed, *arguments)
        found = drawn(compute_mask_indices, seed, *arguments)
        assert np.array_equal(found[0], expected[0])
        assert found[1] == expected[1]


def test_a_row_of_padding_hides_nothing_anywhere():
    padding = torch.tensor([[False] * 50, [True] * 50])
    arguments = ((2, 50), padding, 0.65, 10, "static", 0, 2)
    expected, _ = drawn(original_wavlm.compute_mask_indices, 0, *arguments)
    found, _ = drawn(compute_mask_indices, 0, *arguments)
    assert np.array_equal(found, expected)
    assert not found.any()


def test_the_released_setting_hides_half_the_frames():
    shares = [drawn(compute_mask_indices, seed, (1, 500), None, 0.65, 10, min_masks=2)[0].mean() for seed in range(50)]
    assert np.mean(shares) == pytest.approx(0.49, abs=0.02)


@pytest.mark.parametrize("mask_type", KINDS)
@pytest.mark.parametrize("no_overlap", [False, True])
def test_no_span_at_all_is_no_error(mask_type, no_overlap):
    found, _ = drawn(compute_mask_indices, 0, (3, 40), None, 0.0, 10, mask_type, no_overlap=no_overlap)
    assert found.shape == (3, 40)
    assert not found.any()
    with pytest.raises((IndexError, ValueError)):
        drawn(original_wavlm.compute_mask_indices, 0, (3, 40), None, 0.0, 10, mask_type)


def runs(row):
    """Begin and end of each stretch of true."""
    edges = np.diff(np.concatenate([[0], row.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))


@given(st.integers(20, 400), st.floats(0.05, 0.9), st.integers(1, 10), st.integers(1, 4), st.integers(0, 999))
def test_spans_apart_keep_their_length_and_distance(num_frames, mask_prob, mask_length, min_space, seed):
    arguments = ((1, num_frames), None, mask_prob, mask_length)
    options = {"min_masks": 1, "no_overlap": True, "min_space": min_space}
    (row,), _ = drawn(compute_mask_indices, seed, *arguments, **options)
    spans = runs(row)
    assert spans
    assert all(end - begin == mask_length for begin, end in spans)
    assert all(later[0] - sooner[1] >= min_space for sooner, later in itertools.pairwise(spans))
    assert len(spans) <= max(1, mask_prob * num_frames / mask_length + 1)


def test_spans_apart_may_touch_without_space_between():
    (row,), _ = drawn(compute_mask_indices, 0, (1, 40), None, 1.0, 10, no_overlap=True, min_masks=4)
    assert row.sum() in (20, 30, 40)
    (row,), _ = drawn(compute_mask_indices, 0, (1, 10), None, 1.0, 10, no_overlap=True, min_masks=1)
    assert row.all()


def test_spans_apart_reach_every_frame():
    arguments, options = ((1, 12), None, 0.1, 3), {"no_overlap": True, "min_masks": 1}
    rows = [drawn(compute_mask_indices, seed, *arguments, **options)[0] for seed in range(300)]
    assert np.concatenate(rows).any(axis=0).all()


@pytest.mark.parametrize("mask_type", KINDS)
def test_spans_apart_of_drawn_lengths(mask_type):
    found, _ = drawn(compute_mask_indices, 0, (3, 200), None, 0.5, 10, mask_type, 3, 2, no_overlap=True, min_space=1)
    assert found.any()
    assert len(set(found.sum(axis=1))) == 1


def test_spans_apart_fail_in_the_original():
    with pytest.raises(AttributeError):
        drawn(original_wavlm.compute_mask_indices, 0, (1, 100), None, 0.5, 10, no_overlap=True)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="mask_type: expected static, uniform, normal or poisson; found 'even'"):
        compute_mask_indices((1, 100), None, 0.5, 10, "even")
