"""The picture of noise on convolutions, against the masks and the channel."""

import numpy as np
import pytest
from models import make_audio
from traces import panels

from wavlm_explorer import figures
from wavlm_explorer.convolutions import noised_convolutions
from wavlm_explorer.figures import DARK, LIGHT


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_masks_and_maps_are_what_they_say(palette):
    noised = noised_convolutions(make_audio(0.5, start=2.0), 0.4, 8, 1)
    kernels, mixing, before, after, _ = panels(figures.noise_convolutions(noised, palette))
    drawn = np.asarray(kernels.images[0].get_array())
    for output, of_inputs in enumerate(noised.kernel_mask):
        for index, kernel in enumerate(of_inputs):
            assert np.array_equal(drawn[3 * output : 3 * output + 3, 3 * index : 3 * index + 3], kernel)
    assert [label.get_text() for label in kernels.get_xticklabels()] == ["level", "Δ", "ΔΔ"]
    assert np.array_equal(mixing.images[0].get_array(), noised.mixing_mask[:, :, 0, 0])
    for axes, channel in ((before, noised.before), (after, noised.after)):
        assert np.array_equal(axes.images[0].get_array(), channel)
        assert axes.images[0].get_extent() == [2.0, 2.5, 0, 8]
        assert axes.images[0].norm.vmax == before.images[0].norm.vmax == -before.images[0].norm.vmin
