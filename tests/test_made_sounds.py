"""Sounds made for classes that no sample holds: of their class by measure, or not there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import wavlm_explorer as wx
from wavlm_explorer.cloze import PredictionHead, prediction_head, typical_stretch
from wavlm_explorer.made_sounds import MIDDLE, NUM_SAMPLES, made_sound
from wavlm_explorer.sound_classes import cepstra


@pytest.fixture(scope="module")
def head() -> PredictionHead:
    found = prediction_head(wx.load_model("nano"))
    assert found is not None
    return found


def test_of_the_29_classes_in_no_sample_28_have_a_sound_of_their_class(head):
    nowhere = [number for number in range(100) if typical_stretch(head, number) is None]
    assert len(nowhere) == 29
    made = {number: made_sound(head.clusters, number) for number in nowhere}
    assert [number for number, audio in made.items() if audio is None] == [38]
    for number, audio in made.items():
        if audio is None:
            continue
        features = cepstra(torch.tensor(audio.samples))[MIDDLE]
        scaled = (features - head.clusters.mean) / head.clusters.scale
        assert int((head.clusters.centres - scaled).square().sum(dim=1).argmin()) == number
        assert len(audio.samples) == NUM_SAMPLES
        assert 0 < np.abs(audio.samples).max() <= 1


def test_what_is_not_of_its_class_is_not_there(head):
    """A centre that lies where another does: the sound is of the first of the two."""
    centres = head.clusters.centres.clone()
    centres[7] = centres[3]
    assert made_sound(head.clusters, 7) is not None
    assert made_sound(replace(head.clusters, centres=centres), 7) is None


def test_the_same_class_sounds_the_same_again(head):
    one, other = made_sound(head.clusters, 0), made_sound(head.clusters, 0)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.samples, other.samples)
