"""`python -m training`: make the bundled model from nothing. Run it again after a kill and it goes on where it was.

Round one learns cepstral classes with one language left out; `--round 2` learns, with all five, classes made from the
middle layer of round one's model.
"""

import argparse
from pathlib import Path

import torch

from wavlm_explorer import load_audio

from .birth import write_birth
from .bundle import ASSETS, write_bundle
from .loop import Run
from .pretraining import new_task
from .recipe import Recipe
from .speech import CACHE, SPLITS, fetch, gather, load
from .targets import labelled_splits, layer_features, save_targets, speech_cepstra

SAMPLE = ASSETS.parent / "clips/sentence.flac"  # whose maps the snapshots show
SAMPLE_SECONDS = 4.0
MIDDLE_LAYER = 3  # of 6, counted from 1: whose features round two clusters


def prepare(folder: Path, number: int, device: str) -> Path:
    """Speech and targets of a round, made once; the folder they are in."""
    place = folder / f"round{number}"
    if not (place / "clusters.pt").exists():
        print(f"round {number}: gathering the speech", flush=True)
        gather(fetch(folder / "packages"), place, everyone=number == 2)
        speech = {split: load(place, split) for split in SPLITS if (place / f"{split}.npy").exists()}
        print("clustering its frames", flush=True)
        if number == 1:
            features = {split: speech_cepstra(spoken) for split, spoken in speech.items()}
        else:
            first = new_task(0).to(device)
            first.load_state_dict(torch.load(folder / "round1/last.pt", weights_only=True, map_location=device)["task"])
            features = {split: layer_features(first.model, spoken, MIDDLE_LAYER) for split, spoken in speech.items()}
        save_targets(place, features)
    return place


def main() -> None:
    """Prepare, train and bundle one round."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--folder", type=Path, default=CACHE, help="where everything is kept (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=ASSETS, help="where nano.pt and birth.npz go")
    parser.add_argument("--round", type=int, choices=(1, 2), default=1, help="which targets to learn")
    parser.add_argument("--steps", type=int, default=Recipe.num_steps, help="steps in all (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="where to train: cpu or cuda (default: %(default)s)")
    parser.add_argument("--bfloat16", action="store_true", help="half the time a step, where the processor knows it")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    recipe = Recipe(num_steps=options.steps, bfloat16=options.bfloat16)
    place = prepare(options.folder, options.round, options.device)
    labelled = labelled_splits(place)
    validation = {split: content for split, content in labelled.items() if split != "train"}
    run = Run(new_task(recipe.seed).to(options.device), recipe, place, labelled["train"], validation)
    run.finish()
    write_bundle(place, options.output / "nano.pt")
    write_birth(place, load_audio(SAMPLE, duration=SAMPLE_SECONDS), options.output / "birth.npz")


if __name__ == "__main__":
    main()
