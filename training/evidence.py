"""What the bundled model has learned, measured: `python -m training.evidence` renews the figures of docs/model-card.md.

It needs what `python -m training` left behind, and the sample clips. Numbers go to docs/model-card/numbers.json and,
as tables, between the card's marks; pictures lie beside them; the heads to teach with go to the model's own folder.
"""

import argparse
import dataclasses
import json
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from wavlm_explorer import Audio, WavLM, load_audio, trace

from . import pictures
from .accuracy import compare, unigram
from .bundle import ASSETS, read_bundle
from .card import renew_tables
from .heads import LOCAL_LIFT, exemplars, local_lift, scores
from .loop import read_curve
from .phones import phone_numbers
from .pretraining import MaskedPrediction, new_task
from .recipe import Recipe
from .speech import CACHE, fetch
from .targets import labelled_splits, load_clusters

DOCS = Path(__file__).parents[1] / "docs"
READ_SPEECH = "usr/share/pocketsphinx/test/data/librivox"  # public domain; Debian package pocketsphinx-testdata
CURVE = "curve.csv"
BORN_LAYER = 3  # whose heads the card shows coming into being
SECONDS = 6.0  # of read speech for the figures per head
MEASURES = ("span_ms", "diagonality", "entropy", "verticality")


def read_speech(folder: Path) -> list[Audio]:
    """Five sentences of "Sense and Sensibility" read for LibriVox: English that the model never heard, 3 to 7 s."""
    paths = sorted((fetch(folder / "packages", ("pocketsphinx-testdata",)) / READ_SPEECH).glob("*.wav"))
    return [load_audio(path) for path in paths]


def rounding(place: Path, bundled: WavLM, audio: Audio) -> dict[str, float]:
    """What half precision on disk changes: the largest difference of any weight shown, and of the output relatively."""
    exact = new_task(0)
    exact.load_state_dict(torch.load(place / "last.pt", weights_only=True, map_location="cpu")["task"])
    before, after = trace(exact.eval().model, audio), trace(bundled, audio)
    layers = range(before.num_layers)
    shown = max(float((before.attention(layer) - after.attention(layer)).abs().max()) for layer in layers)
    return {"attention": shown, "output": float((before.output - after.output).norm() / before.output.norm())}


def head_numbers(model: WavLM, twin: WavLM, audio: Audio) -> dict[str, Any]:
    """Per head and for both models: the explorer's measures, and how local each head is."""
    numbers: dict[str, Any] = {}
    for name, source in (("trained", model), ("untrained", twin)):
        traced = trace(source, audio)
        local = {milliseconds: local_lift(traced, milliseconds // 20) for milliseconds in (100, 200)}
        numbers[name] = {
            "measures": {measure: traced.measures()[measure].tolist() for measure in MEASURES},
            "local_heads": {f"{key} ms": int((lift >= LOCAL_LIFT).sum()) for key, lift in local.items()},
            "local_lift_200_ms": local[200].tolist(),
            "gates": [[float(gate.min()), float(gate.max())] for gate in map(traced.gate, range(traced.num_layers))],
            "bias_std": float(source.encoder.block(0).self_attn.relative_attention_bias.weight.detach().std()),
        }
    return numbers


def draw(place: Path, task: MaskedPrediction, twin: WavLM, audio: Audio, numbers: dict[str, Any]) -> dict[str, Figure]:
    """Every picture of the card, by file name."""
    traced = trace(task.model, audio)
    trained, untrained = ({name: torch.tensor(values) for name, values in heads["measures"].items()}
                          for heads in (numbers["heads"]["trained"], numbers["heads"]["untrained"]))  # fmt: skip
    named = [pictures.Exemplar(**exemplar) for exemplar in numbers["exemplars"]]
    return {
        "curve": pictures.curve(read_curve(place / CURVE), numbers["commonest class"]),
        "bias": pictures.bias_and_gates(task.model, twin, traced),
        "atlas": pictures.atlas(traced),
        "atlas-untrained": pictures.atlas(trace(twin, audio)),
        "exemplars": pictures.exemplar_maps(traced, named),
        "measures": pictures.measures(trained, untrained, MEASURES),
    }


def measure(place: Path, folder: Path, task: MaskedPrediction, twin: WavLM) -> dict[str, Any]:
    """All numbers of the card."""
    sentences = read_speech(folder)
    six_seconds = dataclasses.replace(sentences[0], samples=sentences[0].samples[: int(SECONDS * 16_000)])
    labelled = labelled_splits(place)
    clusters = load_clusters(folder / "round1")  # cepstral classes, whatever the round
    chosen = exemplars([scores(trace(task.model, audio), clusters) for audio in sentences])
    return {
        "parameters": sum(parameter.numel() for parameter in task.model.parameters()),
        "minutes": {split: round(speech.num_frames / 3000, 1) for split, (speech, _) in labelled.items()},
        "commonest class": unigram(labelled["train"][1], labelled["heldout"][1]),
        "curve": [{key: value for key, value in row.items() if isfinite(value)} for row in read_curve(place / CURVE)],
        "accuracy": compare(task, labelled, Recipe()),
        "heads": head_numbers(task.model, twin, six_seconds),
        "exemplars": [dataclasses.asdict(exemplar) for exemplar in chosen],
        "phones": phone_numbers(task.model, twin),
        "rounding": rounding(place, task.model, six_seconds),
    }


def main() -> None:
    """Measure, draw, and renew the card."""
    parser = argparse.ArgumentParser(prog="python -m training.evidence", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=CACHE, help="where training left its files (default: %(default)s)"
    )
    parser.add_argument("--round", type=int, choices=(1, 2), default=1, help="the round to judge")
    parser.add_argument("--assets", type=Path, default=ASSETS, help="where that round's nano.pt and birth.npz are")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where model-card.md is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    place = options.folder / f"round{options.round}"
    task, prediction = read_bundle(options.assets / "nano.pt")
    twin = new_task(0).eval().model
    numbers = {"steps": prediction["steps"], **measure(place, options.folder, task, twin)}
    (options.docs / "model-card").mkdir(parents=True, exist_ok=True)
    (options.docs / "model-card/numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    (options.assets / "exemplars.json").write_text(json.dumps(numbers["exemplars"], indent=1) + "\n")
    for name, figure in draw(place, task, twin, read_speech(options.folder)[0], numbers).items():
        pictures.save(figure, options.docs / f"model-card/{name}.png")
    with np.load(options.assets / "birth.npz") as arrays:
        pictures.save(pictures.birth(arrays, BORN_LAYER), options.docs / "model-card/birth.png")
    renew_tables(options.docs / "model-card.md", numbers)


if __name__ == "__main__":
    main()
