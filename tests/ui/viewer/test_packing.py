"""Blocks of bytes hold what was put into them, where a browser can view it in place."""

import json
import struct

import numpy as np
import pytest
from blocks import unpack
from hypothesis import given
from hypothesis import strategies as st

from wavlm_explorer.ui.viewer.packing import ALIGNMENT, pack

DTYPES = ("uint8", "int8", "float16", "float32", "int32")


@given(st.lists(st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 4), max_size=3)), max_size=5), st.text())
def test_what_is_packed_comes_out_again(kinds, text):
    arrays = {
        f"array {index}": np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        for index, (dtype, shape) in enumerate(kinds)
    }
    found = unpack(pack({"text": text, "number": 3}, arrays))
    assert (found.pop("text"), found.pop("number")) == (text, 3)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("name", ["a", "ab", "abcdefgh"])
def test_every_array_begins_where_a_browser_can_view_it(name):
    block = pack({}, {name: np.zeros(3, np.uint8), "numbers": np.ones(5, np.float32)})
    (length,) = struct.unpack("<I", block[4:8])
    offsets = [array["offset"] for array in json.loads(block[8 : 8 + length])["arrays"].values()]
    assert offsets == [0, ALIGNMENT]
    assert len(block) % ALIGNMENT == 0
    assert (len(block) - 3 * ALIGNMENT - ALIGNMENT) % ALIGNMENT == 0


def test_a_view_with_gaps_is_packed_as_what_it_shows():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(unpack(pack({}, {"array": array}))["array"], array)
