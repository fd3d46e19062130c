"""TransposeLast and SamePad, against the original."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import original_modules

from wavlm_explorer.modules import SamePad, TransposeLast

SHAPES = st.lists(st.integers(1, 5), min_size=2, max_size=5)


@given(SHAPES)
def test_transpose_last_equals_the_original(shape):
    x = torch.randn(shape)
    assert torch.equal(TransposeLast()(x), original_modules.TransposeLast()(x))
    assert TransposeLast()(x).shape == (*shape[:-2], shape[-1], shape[-2])


def test_transpose_last_returns_a_view():
    x = torch.randn(2, 3)
    assert TransposeLast()(x).data_ptr() == x.data_ptr()


@pytest.mark.parametrize("index", [0, 1, -1, slice(0, 1), [1, 0], (1, 0), (slice(None), 1), torch.tensor([1])])
def test_transpose_last_picks_an_entry_first(index):
    x = torch.randn(2, 3, 4, 5)
    ours = TransposeLast(deconstruct_idx=index)(x)
    assert torch.equal(ours, original_modules.TransposeLast(index)(x))
    assert torch.equal(ours, x[index].mT)


def test_transpose_last_picks_an_entry_of_a_tuple():
    pair = (torch.randn(2, 3), torch.randn(4, 5))
    assert torch.equal(TransposeLast(1)(pair), pair[1].T)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kernel", range(1, 20))
def test_same_pad_equals_the_original(kernel, causal):
    ours, original = SamePad(kernel, causal), original_modules.SamePad(kernel, causal)
    assert ours.remove == original.remove
    for frames in range(1, 25):
        x = torch.randn(2, 3, frames)
        assert torch.equal(ours(x), original(x))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kernel", range(1, 12))
def test_same_pad_restores_the_length_of_a_padded_convolution(kernel, causal):
    conv = torch.nn.Conv1d(2, 2, kernel, padding=kernel - 1 if causal else kernel // 2)
    assert SamePad(kernel, causal)(conv(torch.randn(1, 2, 30))).shape == (1, 2, 30)


def test_same_pad_refuses_rank_two():
    with pytest.raises(IndexError):
        SamePad(4)(torch.randn(3, 5))


def test_both_have_no_state():
    assert not TransposeLast().state_dict()
    assert not SamePad(3).state_dict()
