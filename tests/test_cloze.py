"""Hidden frames guessed: classes, probabilities and distances against the checkpoint's own tensors and by hand."""

from importlib import resources

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.cloze import around, guess_distance, hide, prediction_head, typical_stretch
from wavlm_explorer.interventions import FramesHidden, PositionOff
from wavlm_explorer.samples import load_sample
from wavlm_explorer.sound_classes import cepstra

HIDDEN = slice(200, 204)


@pytest.fixture(scope="module")
def trace():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


@pytest.fixture(scope="module")
def stored():
    file = resources.files("wavlm_explorer") / "assets" / "nano" / "nano.pt"
    with file.open("rb") as opened:
        return {
            name: value.float() if isinstance(value, torch.Tensor) else value
            for name, value in torch.load(opened, weights_only=True)["prediction"].items()
        }


def head_of(trace):
    head = prediction_head(trace.model)
    assert head is not None
    return head


def test_the_guess_is_that_of_a_masked_pass_through_the_checkpoints_own_head(trace, stored):
    """The model's own forward, with the mask embedding put into its features by hand."""
    model = trace.model
    features = model.project(model.extract_frames(torch.tensor(trace.audio.samples)[None])).clone()
    features[:, HIDDEN] = model.mask_emb
    with torch.no_grad():
        output, _ = model.encoder(features)
        expected = (output[0] @ stored["weight"].T + stored["bias"]).softmax(dim=-1)[HIDDEN]
    guessed = hide(trace, HIDDEN, {"as it is": ()})["as it is"]
    torch.testing.assert_close(head_of(trace).probabilities(guessed.output[HIDDEN]), expected, rtol=0, atol=1e-5)


def test_the_true_class_is_the_nearest_centre(trace, stored):
    features = (cepstra(torch.tensor(trace.audio.samples)) - stored["mean"]) / stored["scale"]
    distances = (features[:, None].double() - stored["centres"].double()).square().sum(dim=-1)
    assert torch.equal(head_of(trace).classes(trace.audio), distances.argmin(dim=1))
    assert len(features) == trace.num_frames


def test_more_can_be_taken_away_and_the_front_end_runs_once(trace):
    both = hide(trace, HIDDEN, {"hidden": (), "without position": [PositionOff()]})
    expected = wx.trace(trace.model, trace.audio, interventions=[FramesHidden(HIDDEN), PositionOff()])
    assert torch.equal(both["without position"].hidden_states, expected.hidden_states)
    assert torch.equal(both["hidden"].hidden_states[0], both["without position"].hidden_states[0])
    assert not torch.equal(both["hidden"].output, expected.output)


def test_the_distance_counts_that_of_the_mean_frame_as_one():
    heard = make_trace(VARIANTS["pre-norm"])
    hidden = slice(3, 7)
    guessed = hide(heard, hidden, {"": ()})[""]
    for state, distance in enumerate(guess_distance(heard, guessed, hidden).tolist()):
        truth, guess = heard.hidden_states[state].numpy(), guessed.hidden_states[state].numpy()
        mean = np.delete(truth, range(3, 7), axis=0).mean(axis=0)
        missed = np.mean([np.linalg.norm(guess[frame] - truth[frame]) for frame in range(3, 7)])
        assert np.isclose(distance, missed / np.mean([np.linalg.norm(mean - truth[frame]) for frame in range(3, 7)]))
    assert not guess_distance(heard, heard, hidden).any()


@pytest.mark.parametrize("hidden", [slice(0, 0), slice(0, 99)])
def test_something_must_be_hidden_and_something_heard(hidden):
    trace = make_trace()
    with pytest.raises(ValueError, match=r"hidden: expected 1 to \d+ frames"):
        guess_distance(trace, trace, hidden)


def test_only_the_bundled_model_has_its_head():
    assert prediction_head(make_trace().model) is None


def test_a_class_is_heard_where_a_sample_has_it(trace):
    head = head_of(trace)
    number = int(head.classes(load_sample("vowels"))[100])
    found = typical_stretch(head, number)
    assert found is not None
    sample = load_sample(found.sample)
    frame = round((found.seconds * 16_000 - 200) / 320)
    assert int(head.classes(sample)[frame]) == number
    assert found.audio.duration == pytest.approx(0.18)
    missing = set(range(100)) - {
        int(one) for name in ("sentence", "two_voices", "vowels", "pause") for one in head.classes(load_sample(name))
    }
    assert missing
    assert all(typical_stretch(head, one) is None for one in missing)


@pytest.mark.parametrize("frame", [0, 100, 261])
def test_a_moment_around_a_frame(trace, frame):
    cut = around(trace.audio, frame)
    assert 0.09 <= cut.duration <= 0.181
    assert cut.start <= float(trace.frame_times[frame]) <= cut.start + cut.duration
