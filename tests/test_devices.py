"""What is set while a model runs is set back afterwards."""

import pytest
from torch.backends import cudnn

from wavlm_explorer.devices import exact_convolutions

CONV = getattr(cudnn, "conv", None)


@pytest.mark.skipif(CONV is None, reason="PyTorch before 2.9 has one flag for all of cuDNN")
@pytest.mark.parametrize("before", ["tf32", "ieee"])
def test_convolutions_are_exact_only_within(before):
    assert CONV is not None
    found = CONV.fp32_precision
    CONV.fp32_precision = before
    try:
        with exact_convolutions():
            assert CONV.fp32_precision == "ieee"
        assert CONV.fp32_precision == before
        with pytest.raises(KeyError), exact_convolutions():
            raise KeyError
        assert CONV.fp32_precision == before
    finally:
        CONV.fp32_precision = found
