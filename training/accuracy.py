"""How much of what is hidden the model guesses, against what knows less: one constant guess, and untrained twins."""

from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from .loop import Labelled
from .pretraining import MaskedPrediction, batch, new_task, train_step, validate
from .recipe import Recipe
from .targets import NUM_CLASSES

NUM_CLIPS = 256  # of 3 s, spread over a split
TWIN_STEPS = 300  # a linear head on frozen features has settled by then


def teach_head(task: MaskedPrediction, train: Labelled, recipe: Recipe) -> None:
    """Train the prediction head alone, for a few steps, on a model that stays as it is."""
    task.train().model.requires_grad_(False)
    groups = [{"params": list(task.head.parameters()), "rate": 1.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.0)
    for step in range(TWIN_STEPS):
        clips, classes = batch(*train, recipe, step)
        train_step(task, optimizer, clips, classes, recipe, step)


def unigram(train: Int[Tensor, " frames"], classes: Int[Tensor, " frames"]) -> float:
    """Share of frames that are of the training speech's commonest class."""
    commonest = torch.bincount(train, minlength=NUM_CLASSES).argmax()
    return float((classes == commonest).float().mean())


def compare(trained: MaskedPrediction, labelled: Mapping[str, Labelled], recipe: Recipe) -> dict[str, dict[str, float]]:
    """Split -> share of hidden frames guessed right, for the trained model and for what it must beat."""
    twin, taught = (new_task(recipe.seed + 1) for _ in range(2))
    teach_head(taught, labelled["train"], recipe)
    shares = {}
    for split, (speech, classes) in labelled.items():
        if split != "train":
            tasks = {"trained": trained, "untrained": twin, "untrained, head taught": taught}
            shares[split] = {name: validate(task, speech, classes, recipe, NUM_CLIPS) for name, task in tasks.items()}
            shares[split]["commonest class"] = unigram(labelled["train"][1], classes)
    return shares
