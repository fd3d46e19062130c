"""One byte a weight is within half a step of the weight, whatever the row looks like."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from wavlm_explorer.ui.viewer.quantization import STEPS, quantize


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.1, 30))
def test_a_weight_is_within_half_a_step(seed, frames, sharpness):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(2, frames, frames, generator=generator).mul(sharpness).softmax(-1)
    cells, row_max = quantize(weights)
    steps = row_max.astype(np.float64)[..., None] / STEPS
    error = np.abs(cells * steps - weights.double().numpy())
    assert (error <= steps / 2 * (1 + 1e-4)).all()


def test_a_flat_row_of_many_frames_keeps_its_weight():
    cells, row_max = quantize(torch.full((1, 2, 500), 1 / 500))
    assert (cells == STEPS).all()
    np.testing.assert_allclose(cells * row_max[..., None] / STEPS, 0.002, rtol=1e-6)


def test_a_row_of_nothing_is_nothing():
    cells, row_max = quantize(torch.zeros(1, 3, 4))
    assert not cells.any()
    assert not row_max.any()


def test_the_weights_are_left_as_they_are():
    weights = torch.rand(1, 5, 5)
    before = weights.clone()
    quantize(weights)
    assert torch.equal(weights, before)
