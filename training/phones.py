"""Do frames that sound like one phone look alike to the model? Layer by layer, without teaching it any phone."""

import re

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wavlm_explorer import WavLM, trace
from wavlm_explorer.samples import load_sample, sample_names, sample_textgrid
from wavlm_explorer.sound_classes import cepstra

from .targets import cluster

NUM_CLUSTERS = 50
APART = 10  # frames: a neighbour this near is the same stretch of sound, and does not count

Features = Float[Tensor, "frames features"]
Labels = Int[Tensor, " frames"]


def purity(features: Features, labels: Labels) -> float:
    """Share of frames that bear the commonest label of their cluster, for k-means into 50 clusters."""
    clusters = cluster(features, NUM_CLUSTERS).assign(features)
    table = torch.zeros(NUM_CLUSTERS, int(labels.max()) + 1)
    table.index_put_((clusters, labels), torch.ones(len(labels)), accumulate=True)
    return float(table.amax(dim=1).sum() / len(labels))


def neighbour_agreement(features: Features, labels: Labels) -> float:
    """Share of frames whose most similar frame (cosine), at least 200 ms away, bears the same label."""
    unit = torch.nn.functional.normalize(features - features.mean(0), dim=1)
    similarity = unit @ unit.T
    frames = torch.arange(len(labels))
    similarity[(frames - frames[:, None]).abs() < APART] = -torch.inf
    return float((labels[similarity.argmax(dim=1)] == labels).float().mean())


def chance(labels: Labels) -> float:
    """Share of frames that bear the commonest label."""
    return float(torch.bincount(labels).max() / len(labels))


def frame_phones(textgrid: str, frame_times: Float[Tensor, " frames"]) -> list[str]:
    """The phone at the centre of every frame, from the first tier of a TextGrid of the project's; "" for none."""
    tier = textgrid.split("item [2]:")[0]
    found = re.findall(r'xmin = ([\d.]+)\s+xmax = ([\d.]+)\s+text = "(.*)"', tier)
    intervals = [(float(start), float(end), label) for start, end, label in found]
    times = frame_times.tolist()
    return [next((label for start, end, label in intervals if start <= time < end), "") for time in times]


def judge(features: Features, labels: Labels) -> dict[str, float]:
    """Both numbers of one set of features."""
    return {"purity": purity(features, labels), "agreement": neighbour_agreement(features, labels)}


def phone_numbers(trained: WavLM, untrained: WavLM) -> dict[str, dict[str, float]]:
    """Purity and agreement on the sample clips: of cepstra, and of what enters and leaves each layer of both models.

    Frames without a phone are left out.
    """
    clips = [load_sample(name) for name in sample_names()]
    models = {"trained": trained, "untrained": untrained}
    traces = {name: [trace(model, clip) for clip in clips] for name, model in models.items()}
    phones = [
        phone
        for traced in traces["trained"]
        for phone in frame_phones(sample_textgrid(traced.audio.name), traced.frame_times)
    ]
    known = torch.tensor([bool(phone) for phone in phones])
    names = sorted(set(phones) - {""})
    labels = torch.tensor([names.index(phone) for phone in phones if phone])
    numbers: dict[str, dict[str, float]] = {"commonest phone": dict.fromkeys(("purity", "agreement"), chance(labels))}
    sound = torch.cat([cepstra(torch.tensor(traced.audio.samples)) for traced in traces["trained"]])
    numbers["cepstra"] = judge(((sound - sound.mean(0)) / sound.std(0))[known], labels)
    for name, heard in traces.items():
        for state in range(heard[0].num_layers + 1):
            features = torch.cat([traced.hidden_states[state] for traced in heard])[known]
            numbers[f"{name}, {state_name(state)}"] = judge(features, labels)
    return {"frames": {"labelled": len(labels), "phones": len(names)}, **numbers}


def state_name(state: int) -> str:
    """How hidden state `state` is called in tables."""
    return "into layer 0" if state == 0 else f"out of layer {state - 1}"
