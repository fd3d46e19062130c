"""Cloze: some frames are hidden, and the model guesses from the rest what was there, as it did in its training.

Conventions: `heard` is the trace that heard all of the clip, `guessed` the one under `FramesHidden`; hidden frames are
given as a slice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .audio import SAMPLE_RATE, Audio
from .interventions import FramesHidden, Intervention
from .keeping import Keeper
from .made_sounds import made_sound
from .passes import Progress
from .samples import SAMPLES, load_sample, sample_names
from .sound_classes import HOP_SAMPLES, WINDOW_SAMPLES, Clusters, cepstra
from .tracing import Trace
from .wavlm import WavLM

NOISY = "noise"  # the sample in which no class is heard alone
TYPICAL_FRAMES = 9  # of a stretch that lets a class be heard: its most typical frame in the middle

_bare: Keeper[Trace] = Keeper()


class PredictionHead(NamedTuple):
    """What names the class of a hidden frame: softmax(W y + b) of the model's output y.

    The classes are those of `clusters`: what the frame itself sounds like, told from the clip without the model.
    """

    weight: Float[Tensor, "classes width"]
    bias: Float[Tensor, " classes"]
    clusters: Clusters

    def probabilities(self, output: Float[Tensor, "frames width"]) -> Float[Tensor, "frames classes"]:
        """How likely the model holds each class to be, frame by frame."""
        return torch.softmax(output @ self.weight.T + self.bias, dim=-1)

    def classes(self, audio: Audio) -> Int[Tensor, " frames"]:
        """The true class of every frame of a clip."""
        return self.clusters.assign(cepstra(torch.tensor(audio.samples)))


class TypicalStretch(NamedTuple):
    """Where a class sounds most like itself among the samples."""

    sample: str
    seconds: float  # the middle of its most typical frame
    audio: Audio


class ClassSound(NamedTuple):
    """A class to hear, and whence it is, in words."""

    audio: Audio
    words: str


def prediction_head(model: WavLM) -> PredictionHead | None:
    """The head that the model was trained with: the bundled model has one, no released checkpoint has kept its own."""
    return _bundled_head() if model.source.digest and model.source.digest == _bundled_digest() else None


def typical_stretch(head: PredictionHead, number: int) -> TypicalStretch | None:
    """Find, of all frames of the samples that have a class, the one nearest to its centre; None where none has it."""
    centre, found = head.clusters.centres[number], []
    for name, features in _sample_features().items():
        distances = ((features - head.clusters.mean) / head.clusters.scale - centre).square().sum(dim=1)
        own = head.clusters.assign(features) == number
        found += [(float(distances[frame]), name, frame) for frame in own.nonzero()[:, 0].tolist()]
    if not found:
        return None
    _, name, frame = min(found)
    audio = load_sample(name)
    return TypicalStretch(name, (HOP_SAMPLES * frame + WINDOW_SAMPLES / 2) / SAMPLE_RATE, around(audio, frame))


def class_sound(head: PredictionHead, number: int) -> ClassSound | None:
    """A class where it is most typical in the samples, else a sound made from its centre; None where neither is."""
    typical = typical_stretch(head, number)
    if typical is not None:
        title = SAMPLES[typical.sample].title
        return ClassSound(typical.audio, f"as at {typical.seconds:.2f} s of the sample “{title}”")
    made = made_sound(head.clusters, number)
    return made and ClassSound(made, "in no sample: made from the class's centre, not recorded")


def around(audio: Audio, frame: int) -> Audio:
    """The sound of a frame and its neighbours, TYPICAL_FRAMES in all."""
    first = max(0, HOP_SAMPLES * frame + (WINDOW_SAMPLES - TYPICAL_FRAMES * HOP_SAMPLES) // 2)
    samples = audio.samples[first : first + TYPICAL_FRAMES * HOP_SAMPLES]
    return replace(audio, samples=samples, start=audio.start + first / SAMPLE_RATE)


def hide(heard: Trace, hidden: slice, interventions: Mapping[str, Sequence[Intervention]]) -> Mapping[str, Trace]:
    """Let the clip pass with these frames hidden, once for each name under the interventions that it stands for.

    The sound goes through the front end once.

    Raises: as `Trace.what_if`.
    """
    return {name: guess(heard, hidden, extra) for name, extra in interventions.items()}


def guess(
    heard: Trace, hidden: slice, interventions: Sequence[Intervention] = (), progress: Progress | None = None
) -> Trace:
    """Let the clip pass with these frames hidden, and under interventions; the latest pass without any is kept.

    progress: as of `trace`.

    Raises: as `Trace.what_if`.
    """
    whole = (hidden.start, hidden.stop, hidden.step)
    bare = _bare.recall(heard, lambda: heard.what_if([FramesHidden(hidden)], progress), subject=whole)
    return bare.what_if(interventions, progress) if interventions else bare


def guess_distance(heard: Trace, guessed: Trace, hidden: slice) -> Float[Tensor, " states"]:
    """How far the hidden frames' states are from the true ones: the mean of `frame_distances`.

    Raises: as `frame_distances`.
    """
    return frame_distances(heard, guessed, hidden).mean(dim=-1)


def frame_distances(heard: Trace, guessed: Trace, hidden: slice) -> Float[Tensor, "states hidden"]:
    """How far each hidden frame's state is from the true one: 0 is there, 1 no nearer than the clip's mean.

    For each state ||guessed - heard|| of each frame, over the mean of ||m - heard|| of the hidden ones, where m is the
    mean of the frames that are not hidden.

    Raises: ValueError where nothing is hidden, or everything.
    """
    num_hidden = len(range(heard.num_frames)[hidden])
    if not 0 < num_hidden < heard.num_frames:
        raise ValueError(f"hidden: expected 1 to {heard.num_frames - 1} frames; found {num_hidden}")
    shown = torch.ones(heard.num_frames, dtype=torch.bool)
    shown[hidden] = False
    truth = heard.hidden_states[:, hidden]
    mean = heard.hidden_states[:, shown].mean(dim=1, keepdim=True)
    missed = torch.linalg.vector_norm(guessed.hidden_states[:, hidden] - truth, dim=-1)
    spread = torch.linalg.vector_norm(mean - truth, dim=-1).mean(dim=-1, keepdim=True)
    return missed / spread.clamp(min=torch.finfo(spread.dtype).tiny)


@cache
def _bundled_digest() -> str:
    from .checkpoints import load_model  # above this: only the digest of the bundled model is wanted

    return load_model("nano", device="cpu").source.digest


@cache
def _bundled_head() -> PredictionHead:
    with (resources.files("wavlm_explorer") / "assets" / "nano" / "nano.pt").open("rb") as file:
        stored = torch.load(file, weights_only=True)["prediction"]
    tensors = {name: value.float() for name, value in stored.items() if isinstance(value, Tensor)}
    return PredictionHead(
        tensors["weight"], tensors["bias"], Clusters(tensors["mean"], tensors["scale"], tensors["centres"])
    )


@cache
def _sample_features() -> Mapping[str, Float[Tensor, "frames features"]]:
    return {name: cepstra(torch.tensor(load_sample(name).samples)) for name in sample_names() if name != NOISY}
