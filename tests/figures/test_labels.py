"""The picture of attention between labels: the numbers it shows, names of any kind, scales."""

import numpy as np
import pytest
import torch
from traces import make_trace, panels

from wavlm_explorer import Interval, LabelAttention, LabelTrack, pool_attention
from wavlm_explorer.figures import DARK, label_map
from wavlm_explorer.figures.labels import MAX_NAMES


def make_pooled(names: list[str]) -> LabelAttention:
    share = torch.eye(len(names))[None] * 0.75
    return LabelAttention(tuple(names), torch.ones(len(names), dtype=torch.long), share, share / 2)


def shown(picture) -> np.ndarray:
    return np.asarray(panels(picture)[0].images[0].get_array())


def test_the_picture_shows_what_was_pooled():
    track = LabelTrack("words", (Interval(0, 0.2, "one"), Interval(0.2, 0.4, "two")))
    pooled = pool_attention(make_trace(), track, 1, 1)
    np.testing.assert_array_equal(shown(label_map(pooled)), pooled.share[0])
    np.testing.assert_array_equal(shown(label_map(pooled, "mean", scale="linear", palette=DARK)), pooled.mean[0])


def test_few_cells_carry_their_hundredths():
    axes = panels(label_map(make_pooled(["a", "b"])))[0]
    assert [text.get_text() for text in axes.texts] == ["75", "75"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]


def test_names_are_set_as_they_are_and_too_many_are_thinned():
    picture = label_map(make_pooled(["$x$", r"\frac", "θə", "a very long label indeed"]))
    assert picture.to_bytes("png", dpi=40).startswith(b"\x89PNG")
    assert [text.get_text() for text in panels(picture)[0].get_xticklabels()][-1] == "a very long…"
    many = label_map(make_pooled([str(number) for number in range(150)]))
    assert 1 < len(panels(many)[0].get_xticks()) <= MAX_NAMES
    assert not panels(many)[0].texts


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling: expected one of share, mean; found 'sum'"):
        label_map(make_pooled(["a"]), "sum")
