"""What the canvas gets: guesses as the checkpoint's own head makes them, and sounds that say whence they are."""

import io
import wave
from importlib import resources

import numpy as np
import pytest
import torch
from blocks import unpack
from models import VARIANTS, make_audio, make_model
from oracles import TINY
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer import Trace
from wavlm_explorer.cloze import guess_distance, hide
from wavlm_explorer.interventions import HeadsOff
from wavlm_explorer.samples import load_sample
from wavlm_explorer.ui.viewer import guesses
from wavlm_explorer.ui.viewer.payloads import make

HIDDEN = {"start": 200, "stop": 204}


@pytest.fixture(scope="module")
def nano() -> Trace:
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def fetch(trace: Trace, what: str, **wanted: int) -> dict:
    return unpack(make(trace, what, {name: str(number) for name, number in wanted.items()}))


def sound(found: dict) -> np.ndarray:
    with wave.open(io.BytesIO(found["wav"].tobytes())) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def test_the_guess_is_that_of_the_checkpoints_own_head(nano: Trace):
    file = resources.files("wavlm_explorer") / "assets" / "nano" / "nano.pt"
    with file.open("rb") as opened:
        stored = torch.load(opened, weights_only=True)["prediction"]
    model = nano.model
    features = model.project(model.extract_frames(torch.tensor(nano.audio.samples)[None])).clone()
    features[:, 200:204] = model.mask_emb
    with torch.no_grad():
        output, _ = model.encoder(features)
        logits = output[0, 200:204] @ stored["weight"].float().T + stored["bias"].float()
    found = fetch(nano, "guess", **HIDDEN, variant=0)
    assert (found["name"], found["from"], found["to"]) == ("as it is", 200, 204)
    np.testing.assert_allclose(found["probabilities"], logits.softmax(dim=-1), rtol=0, atol=1e-5)


def test_the_last_variant_is_that_of_the_chosen_head(nano: Trace):
    found = fetch(nano, "guess", **HIDDEN, variant=3, layer=2, head=1)
    assert found["name"] == "without head 1 of layer 2"
    guessed = hide(nano, slice(200, 204), {"": [HeadsOff(layers=2, heads=1)]})[""]
    mean = guess_distance(nano, guessed, slice(200, 204))
    np.testing.assert_allclose(found["distances"].mean(axis=1), mean, rtol=1e-6)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_model_without_its_head_gives_distances_alone(name: str):
    trace = make_trace(VARIANTS[name])
    assert fetch(trace, "classes") == {"classes": 0}
    found = fetch(trace, "guess", start=3, stop=7, variant=1)
    assert "probabilities" not in found
    assert found["distances"].shape == (trace.num_layers + 1, 4)


def test_the_true_classes_are_those_of_every_frame(nano: Trace):
    found = fetch(nano, "classes")
    assert found["classes"] == 100
    assert len(found["truth"]) == nano.num_frames


def test_a_model_of_nan_gives_distances_of_nan():
    model = make_model(TINY)
    with torch.no_grad():
        model.encoder.block(0).fc2.weight.fill_(torch.nan)
    found = fetch(wx.trace(model, make_audio(0.5)), "guess", start=3, stop=7, variant=0)
    assert np.isnan(found["distances"][1:]).all()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"start": 5, "stop": 5, "variant": 0}, "found 5 to 5"), ({"start": 0, "stop": 39, "variant": 0}, "not all"),
     ({"start": -1, "stop": 5, "variant": 0}, "found -1"), ({"start": 1, "stop": 2, "variant": 9}, "found 9")],
)  # fmt: skip
def test_what_cannot_be_hidden_is_refused(tiny_trace: Trace, wanted, said):
    assert tiny_trace.num_frames == 39
    with pytest.raises(ValueError, match=said):
        fetch(tiny_trace, "guess", **wanted)


def test_a_pass_ends_once_other_frames_are_hidden(monkeypatch):
    trace, make_guess = make_trace(), guesses.guess

    def guess(heard, hidden, interventions, progress):
        if hidden == slice(3, 7):
            fetch(heard, "classes")
            guesses._wanted[heard] = (8, 9)
        return make_guess(heard, hidden, interventions, progress)

    monkeypatch.setattr(guesses, "guess", guess)
    with pytest.raises(ValueError, match="Other frames are hidden now"):
        fetch(trace, "guess", start=3, stop=7, variant=0)
    assert fetch(trace, "guess", start=8, stop=9, variant=0)["distances"].shape[1] == 1
    assert fetch(trace, "share", look=1)["share"] == 1


def test_a_class_is_heard_and_says_whence(nano: Trace):
    truth = fetch(nano, "classes")["truth"]
    recorded = fetch(nano, "class", number=int(truth[100]))
    assert "of the sample" in recorded["words"]
    made = fetch(nano, "class", number=0)
    assert "not recorded" in made["words"]
    assert np.abs(sound(made)).max() > 0.01
    none = fetch(nano, "class", number=38)
    assert none == {"words": "in no sample, and none could be made"}
    for number in (-1, 100):
        with pytest.raises(ValueError, match="no class"):
            fetch(nano, "class", number=number)


def test_a_moment_is_cut_from_the_clip(nano: Trace):
    samples = sound(fetch(nano, "moment", frame=100))
    first = 320 * 100 + 200 - 4 * 320 - 160
    np.testing.assert_allclose(samples, nano.audio.samples[first : first + 9 * 320], atol=1 / 32767)
    with pytest.raises(IndexError):
        fetch(nano, "moment", frame=nano.num_frames)
