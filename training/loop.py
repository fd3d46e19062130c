"""The long run: one step after another, with a log, a validation curve, snapshots, and a way back after a kill."""

import csv
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .pretraining import MaskedPrediction, batch, make_optimizer, train_step, validate
from .recipe import Recipe
from .speech import Speech

LOG_EVERY = 50  # steps
SAVE_EVERY = 200
VALIDATE_EVERY = 500
NUM_SNAPSHOTS = 12

Labelled = tuple[Speech, Int[Tensor, " frames"]]  # speech, and the class of each of its frames


def snapshot_steps(num_steps: int) -> list[int]:
    """Step 0 and eleven more, each about the same factor after the one before."""
    return [0, *sorted({round(step) for step in np.geomspace(min(10, num_steps), num_steps, NUM_SNAPSHOTS - 1)})]


def save_whole(content: Any, path: Path) -> None:
    """Save so that a kill leaves either the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    torch.save(content, unfinished)
    os.replace(unfinished, path)


@dataclass
class Run:
    """A training run that lives in `folder`: `last.pt`, `curve.csv` and `snapshots/`.

    Every step draws its clips, noise and masks from its own number, so a run that was killed and resumed ends with the
    very weights of one that was not. `validation` are the splits that the curve follows, by name.
    """

    task: MaskedPrediction
    recipe: Recipe
    folder: Path
    train: Labelled
    validation: Mapping[str, Labelled]
    step: int = field(default=0, init=False)  # steps done
    seconds: float = field(default=0.0, init=False)  # spent on them

    def __post_init__(self) -> None:
        self.optimizer = make_optimizer(self.task, self.recipe)
        last = self.folder / "last.pt"
        if last.exists():
            state = torch.load(last, weights_only=True, map_location=self.task.model.device)
            self.task.load_state_dict(state["task"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Keep all that the next step depends on."""
        state = {"task": self.task.state_dict(), "optimizer": self.optimizer.state_dict()}
        save_whole({**state, "step": self.step, "seconds": self.seconds}, self.folder / "last.pt")

    def finish(self) -> None:
        """Take the steps that are left."""
        snapshots = snapshot_steps(self.recipe.num_steps)
        if self.step == 0:
            self._look_up([(math.nan, math.nan)], snapshots)
        self.task.train()
        results: list[tuple[float, float]] = []  # loss and accuracy of each step since the last look
        while self.step < self.recipe.num_steps:
            started = time.monotonic()
            clips, classes = batch(*self.train, self.recipe, self.step)
            results.append(train_step(self.task, self.optimizer, clips, classes, self.recipe, self.step))
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % LOG_EVERY == 0:
                self._log(results[-LOG_EVERY:])
            if self.step % VALIDATE_EVERY == 0 or self.step in snapshots or self.step == self.recipe.num_steps:
                self._look_up(results, snapshots)
                results.clear()
            if self.step % SAVE_EVERY == 0 or self.step == self.recipe.num_steps:
                self.save()

    def _log(self, results: list[tuple[float, float]]) -> None:
        loss, accuracy = np.mean(results, axis=0)
        left = self.seconds / self.step * (self.recipe.num_steps - self.step)
        print(
            f"step {self.step:6d} of {self.recipe.num_steps}   loss {loss:.3f}   hidden frames right {accuracy:6.2%}   "
            f"{self.seconds / self.step:.2f} s a step   {left / 60:.0f} min left",
            flush=True,
        )

    def _look_up(self, results: list[tuple[float, float]], snapshots: list[int]) -> None:
        """Validate, add a line to the curve, keep a snapshot where one is due."""
        loss, accuracy = np.mean(results, axis=0)
        right = {name: validate(self.task, *labelled, self.recipe) for name, labelled in self.validation.items()}
        row = {"step": self.step, "seconds": round(self.seconds), "loss": loss, "train": accuracy, **right}
        add_to_curve(self.folder / "curve.csv", row)
        shares = "   ".join(f"{name} {share:.2%}" for name, share in right.items())
        print(f"step {self.step:6d}   hidden frames right: {shares}", flush=True)
        if self.step in snapshots:
            half = {name: tensor.half() for name, tensor in self.task.state_dict().items()}
            save_whole({"step": self.step, "task": half, **right}, self.folder / f"snapshots/{self.step:06d}.pt")


def add_to_curve(path: Path, row: dict[str, float]) -> None:
    """Write the row behind those of earlier steps; later ones, of a run that was killed, go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = read_curve(path) if path.exists() else []
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows([*(old for old in rows if old["step"] < row["step"]), row])


def read_curve(path: Path) -> list[dict[str, float]]:
    """The validation curve: step, seconds, loss, and the share of hidden frames guessed right of every split."""
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
