"""Numbers that a caller gives: whole ones, and nothing that would only pass for one."""

import numpy as np
import pytest
import torch

from wavlm_explorer.indices import check_count, check_index, choose


@pytest.mark.parametrize("number", [np.int64(2), torch.tensor(2), 2], ids=repr)
def test_whole_numbers_of_any_library_are_taken(number):
    assert check_count("reach", number) == check_index("head", number, 3) == 2


@pytest.mark.parametrize("value", [True, np.True_, torch.tensor(True), 1.5, float("nan"), "1", None], ids=repr)
def test_what_is_no_whole_number_is_refused(value):
    for refuse in (lambda: check_count("it", value), lambda: check_index("it", value, 3)):
        with pytest.raises(TypeError, match="it: expected a whole number, found"):
            refuse()


def test_a_count_below_zero_is_refused():
    with pytest.raises(ValueError, match="reach: expected a whole number, 0 or more; found -1"):
        check_count("reach", -1)


@pytest.mark.parametrize("as_mask", [np.array, torch.tensor])
def test_a_mask_is_not_taken_for_indices(as_mask):
    with pytest.raises(TypeError, match="head: expected a whole number, found"):
        choose("head", as_mask([True, False, True]), 3)
