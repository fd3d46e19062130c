"""The finished model as one file in the layout of Microsoft's checkpoints, with what its later pages need besides."""

import dataclasses
from pathlib import Path

import torch

from wavlm_explorer.wavlm import WavLM

from .loop import save_whole
from .pretraining import MaskedPrediction
from .recipe import nano_config
from .targets import load_clusters

ASSETS = Path(__file__).parents[1] / "wavlm_explorer/assets/nano"


def write_bundle(place: Path, path: Path) -> None:
    """Write `{"cfg", "model", "prediction"}` from the latest weights in `place`, in half precision.

    `cfg` holds plain values; `model` the state dict under the original's keys; `prediction` the head's `weight`
    [classes, width] and `bias` [classes], and `mean`, `scale` [features] and `centres` [classes, features] of the
    clusters it was taught, beside the number of training `steps`.
    """
    last = torch.load(place / "last.pt", weights_only=True, map_location="cpu")
    half = {name: tensor.half() for name, tensor in last["task"].items()}
    prediction = {name: half[f"head.{name}"] for name in ("weight", "bias")}
    prediction |= {name: tensor.half() for name, tensor in vars(load_clusters(place)).items()}
    model = {name.removeprefix("model."): tensor for name, tensor in half.items() if name.startswith("model.")}
    content = {"cfg": dataclasses.asdict(nano_config()), "model": model}
    save_whole({**content, "prediction": {**prediction, "steps": last["step"]}}, path)


def read_bundle(path: Path = ASSETS / "nano.pt") -> tuple[MaskedPrediction, dict]:
    """The bundled model with its head, ready to guess hidden frames, and the `prediction` part of the file.

    Loads strictly and by itself: a check that does not lean on the toolkit's loader.
    """
    content = torch.load(path, weights_only=True)
    task = MaskedPrediction(WavLM(nano_config()))
    head = {name: content["prediction"][name] for name in ("weight", "bias")}
    task.model.load_state_dict(content["model"])
    task.head.load_state_dict(head)
    return task.eval(), content["prediction"]
