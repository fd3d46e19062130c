"""Pictures of attention hold what the trace holds, where the clock says."""

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from models import make_audio, make_model

from wavlm_explorer.figures import DARK, attention_heads, attention_map, attention_terms
from wavlm_explorer.figures.reduction import MAX_CELLS, max_pool, pooling_factor, pooling_note
from wavlm_explorer.tracing import trace


def maps(figure: Figure) -> list[np.ndarray]:
    """The square images of a figure, in the order in which they were drawn."""
    images = [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]
    return [image for image in images if image.shape[0] == image.shape[1]]


def main_image(figure: Figure, num_frames: int) -> Any:
    images = [image for axes in figure.axes for image in axes.images]
    (image,) = [image for image in images if np.asarray(image.get_array()).shape == (num_frames, num_frames)]
    return image


@pytest.mark.parametrize("head", [0, 2, None])
def test_a_map_shows_the_weights_of_its_head_in_seconds(tiny_trace, head):
    image = main_image(attention_map(tiny_trace, 1, head), tiny_trace.num_frames)
    weights = tiny_trace.attention(1)
    expected = weights.mean(0) if head is None else weights[head]
    np.testing.assert_allclose(image.get_array(), expected.numpy(), atol=1e-6)
    first, last = float(tiny_trace.frame_times[0]), float(tiny_trace.frame_times[-1])
    np.testing.assert_allclose(image.get_extent(), [first - 0.01, last + 0.01, last + 0.01, first - 0.01], atol=1e-5)
    assert (image.norm.vmin, image.norm.vmax) == (0, 1)


@pytest.mark.parametrize("scale", ["square root", "logarithmic", "linear"])
def test_a_scale_is_the_same_on_every_map(tiny_trace, scale):
    norms = [main_image(attention_map(tiny_trace, layer, 0, scale), tiny_trace.num_frames).norm for layer in (0, 2)]
    assert len({(type(norm), norm.vmin, norm.vmax) for norm in norms}) == 1
    assert norms[0].vmax == 1
    assert norms[0](0.0) == 0


def test_a_clip_s_own_start_is_on_the_axes():
    traced = trace(make_model(), make_audio(start=30.0))
    assert main_image(attention_map(traced, 0, 0), traced.num_frames).get_extent()[0] == pytest.approx(30.0025)


def test_all_heads_and_their_mean(tiny_trace):
    for _ in range(2):
        drawn = maps(attention_heads(tiny_trace, 2, head=1))
        weights = tiny_trace.attention(2)
        np.testing.assert_allclose(drawn, torch.cat([weights, weights.mean(0, keepdim=True)]).numpy(), atol=1e-6)
    framed = [
        axes.get_title()
        for axes in attention_heads(tiny_trace, 2, head=1).axes
        if axes.spines["top"].get_linewidth() == 2
    ]
    assert framed == ["head 1"]


def test_terms_share_one_scale_and_are_the_trace_s(tiny_trace):
    figure = attention_terms(tiny_trace, 0, 2, palette=DARK)
    terms = tiny_trace.attention_terms(0, 2)
    drawn = maps(figure)
    for image, expected in zip(drawn, (terms.content, terms.position, terms.logits, terms.weights), strict=True):
        np.testing.assert_allclose(image, expected.numpy(), atol=1e-6)
    limits = {axes.images[0].get_clim() for axes in figure.axes[:6:2] if axes.images}
    reach = max(float(term.abs().max()) for term in (terms.content, terms.position, terms.logits))
    assert limits == {(-reach, reach)}


def test_a_thin_diagonal_survives_being_drawn_small():
    length = 3 * MAX_CELLS + 1
    values = torch.zeros(length, length)
    values[torch.arange(length - 5), torch.arange(5, length)] = 0.4
    values[7, 9] = -0.9
    factor = pooling_factor(length)
    pooled = max_pool(values, factor)
    assert factor == 4
    assert max(pooled.shape) <= MAX_CELLS
    assert (pooled.diagonal(1)[:-2] != 0).all()
    assert pooled[1, 2] == pytest.approx(-0.9)
    assert "4 × 4" in pooling_note(length)
    assert pooling_note(MAX_CELLS) == ""


def test_pictures_are_files(tiny_trace):
    picture = attention_map(tiny_trace, 0, 0)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert b"<svg" in picture.to_bytes("svg")[:500]
    assert len(picture.to_bytes("png", 80)) < len(picture.to_bytes("png", 160))


def test_an_unknown_scale_is_refused(tiny_trace):
    with pytest.raises(ValueError, match="expected one of square root, logarithmic, linear"):
        attention_map(tiny_trace, 0, 0, scale="cubic")
