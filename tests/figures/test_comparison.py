"""Pictures of two models side by side, against the numbers that they show."""

import numpy as np
import pytest
from traces import panels

from wavlm_explorer import figures
from wavlm_explorer.figures import DARK, LIGHT

CHANGES = np.array([[0.0, 0.003, 0.2], [np.nan, 1.5, np.nan]])
MARKS = np.array([["", "", ""], ["+", "", "−"]])


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_every_cell_says_its_number_or_its_mark(palette):
    picture = figures.change_map(["layer 0", "layer 1"], ["a", "b", "c"], CHANGES, MARKS, "Layers", palette)
    axes = panels(picture)[0]
    assert texts(axes) == ["0", "0.3%", "20%", "+", "150%", "−"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["layer 0", "layer 1"]
    image = axes.images[0]
    assert np.array_equal(image.get_array().filled(0), np.nan_to_num(CHANGES))
    assert (image.norm.vmin, image.norm.vmax) == (1e-4, 1)
    legend = [text.get_text() for text in picture.texts]
    assert legend == ["+ only in B   − only in A"]
    picture.to_bytes("png", 40)


def test_red_and_green_are_never_the_only_sign():
    picture = figures.change_map(["layer 0", "layer 1"], ["a", "b", "c"], CHANGES, MARKS, "Layers")
    axes = panels(picture)[0]
    assert len(axes.patches) == 2
    assert len({patch.get_facecolor() for patch in axes.patches}) == 2
    centres = {(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in axes.patches}
    assert centres == {text.get_position() for text in axes.texts if text.get_text() in "+−"}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_curves_are_what_was_given(palette):
    curves = {"CKA": np.array([1, 0.9, 0.4]), "cosine": np.array([1, -0.2, np.nan])}
    picture = figures.similarity_curves(curves, "States", palette)
    axes = panels(picture)[0]
    for line, values in zip(axes.lines, curves.values(), strict=False):
        assert np.array_equal(line.get_ydata(), values, equal_nan=True)
    assert len({(line.get_linestyle(), line.get_marker()) for line in axes.lines[:2]}) == 2
    assert axes.get_ylim()[0] < -0.2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["in", "0", "1"]
    picture.to_bytes("png", 40)


def test_likeness_is_never_magnified_beyond_a_tenth():
    axes = panels(figures.similarity_curves({"CKA": np.array([1, 0.999999])}, "States"))[0]
    assert axes.get_ylim()[0] <= 0.9


def test_the_best_match_of_each_row_is_framed():
    cka = np.array([[0.9, 0.5, 0.1], [0.2, 0.3, 0.8], [np.nan, np.nan, np.nan]])
    picture = figures.similarity_matrix(cka, "a", "b")
    axes = panels(picture)[0]
    assert [(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in axes.patches] == [(0, 0), (2, 1)]
    assert np.array_equal(axes.images[0].get_array().filled(-1), np.nan_to_num(cka, nan=-1))
    picture.to_bytes("png", 40)


@pytest.mark.parametrize("largest", [0.0, 1e-16, 0.02])
def test_divergences_share_one_scale(largest):
    names = ("content", "position", "both")
    maps = {name: largest * np.random.default_rng(i).random((4, 6)) for i, name in enumerate(names)}
    picture = figures.divergence_maps(maps, DARK)
    drawn = panels(picture)[:3]
    assert [axes.get_title(loc="left") for axes in drawn] == list(names)
    for axes, values in zip(drawn, maps.values(), strict=True):
        assert np.array_equal(axes.images[0].get_array(), values)
    assert len({(axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in drawn}) == 1
    assert drawn[0].images[0].norm.vmax == max(0.001, *(values.max() for values in maps.values()))
    picture.to_bytes("png", 40)
