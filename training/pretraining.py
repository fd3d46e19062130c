"""Masked prediction with denoising: hear a spoilt clip, half of it hidden; say which sound each hidden frame was."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from wavlm_explorer.wavlm import WavLM

from .noise import spoil
from .recipe import Recipe, nano_config
from .speech import Speech
from .targets import NUM_CLASSES

POSITION = ("relative_attention_bias", "grep_")  # the parameters that learn where to look


class MaskedPrediction(nn.Module):
    """The model and, on top, `head`: the logits of 100 classes, one row a frame.

    The front end hears the whole clip; hidden frames get `mask_emb` before the encoder, as in `extract_features`.
    """

    def __init__(self, model: WavLM) -> None:
        super().__init__()
        self.model = model
        self.head = nn.Linear(model.config.encoder_embed_dim, NUM_CLASSES)

    def forward(
        self, clips: Float[Tensor, "clips samples"]
    ) -> tuple[Float[Tensor, "clips frames classes"], Bool[Tensor, "clips frames"]]:
        """Logits of every frame, and which frames were hidden; the spans come from numpy's global generator.

        Raises: ValueError for a model whose config hides nothing.
        """
        frames = self.model.extract_frames(clips)  # [clips, frames, 128]
        features, hidden = self.model.apply_mask(self.model.project(frames), None)  # [clips, frames, width]
        if hidden is None:
            raise ValueError("mask_prob: expected more than 0, or there is nothing to predict")
        output, _ = self.model.encoder(features)
        return self.head(output), hidden


def new_task(seed: int) -> MaskedPrediction:
    """The bundled model's geometry with fresh weights; the same seed gives the same weights."""
    torch.manual_seed(seed)
    return MaskedPrediction(WavLM(nano_config()))


def batch(
    speech: Speech, classes: Int[Tensor, " frames"], recipe: Recipe, step: int
) -> tuple[Float[Tensor, "clips samples"], Int[Tensor, "clips frames"]]:
    """The clips of a step, part of them spoilt, and the classes of the clean ones; the same for the same step."""
    generator = np.random.default_rng([recipe.seed, step])
    frames = recipe.frames_per_clip
    starts = speech.random_starts(generator, recipe.clips_per_step, frames)
    clips = spoil(generator, np.stack([speech.crop(start, frames) for start in starts]), recipe.spoilt_share)
    return torch.from_numpy(clips), torch.stack([classes[start : start + frames] for start in starts]).long()


def parameter_groups(task: nn.Module, recipe: Recipe) -> list[dict]:
    """Weights with decay; biases, norms and scalars without; positions without and many times faster."""
    decayed, plain, position = [], [], []
    for name, parameter in task.named_parameters():
        if any(part in name for part in POSITION):
            position.append(parameter)
        else:
            (decayed if parameter.ndim > 1 else plain).append(parameter)
    return [
        {"params": decayed, "weight_decay": recipe.weight_decay, "rate": 1.0},
        {"params": plain, "weight_decay": 0.0, "rate": 1.0},
        {"params": position, "weight_decay": 0.0, "rate": recipe.position_rate},
    ]


def make_optimizer(task: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW over `parameter_groups`."""
    return torch.optim.AdamW(parameter_groups(task, recipe), lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)


def schedule(step: int, recipe: Recipe) -> float:
    """Share of the learning rate: up in a straight line, down along half a cosine, to near 0 at the planned end."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    progress = (step - recipe.warmup_steps) / max(1, recipe.num_steps - recipe.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def hidden_loss(
    logits: Float[Tensor, "clips frames classes"],
    hidden: Bool[Tensor, "clips frames"],
    classes: Int[Tensor, "clips frames"],
) -> tuple[Tensor, Tensor]:
    """Cross entropy in nats, and the share guessed right, of the hidden frames only."""
    guesses, truth = logits[hidden].float(), classes[hidden]
    return nn.functional.cross_entropy(guesses, truth), (guesses.argmax(1) == truth).float().mean()


def train_step(
    task: MaskedPrediction, optimizer: torch.optim.Optimizer, clips: Tensor, classes: Tensor, recipe: Recipe, step: int
) -> tuple[float, float]:
    """One update; loss and accuracy before it."""
    device = task.model.device
    np.random.seed((recipe.seed * 1_000_003 + step) % 2**32)  # noqa: NPY002 - what WavLM's masks draw from
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16):
        logits, hidden = task(clips.to(device))
        loss, accuracy = hidden_loss(logits, hidden, classes.to(device))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(task.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * group["rate"] * schedule(step, recipe)
    optimizer.step()
    return loss.item(), accuracy.item()


def validation_batches(
    speech: Speech, classes: Tensor, num_clips: int, num_frames: int, at_once: int = 16
) -> Iterator[tuple[Tensor, Tensor]]:
    """Clean clips spread evenly over the speech, with their classes."""
    starts = speech.even_starts(num_clips, num_frames)
    for first in range(0, len(starts), at_once):
        chosen = starts[first : first + at_once]
        clips = np.stack([speech.crop(start, num_frames) for start in chosen])
        yield torch.from_numpy(clips), torch.stack([classes[start : start + num_frames] for start in chosen]).long()


@torch.no_grad()
def validate(task: MaskedPrediction, speech: Speech, classes: Tensor, recipe: Recipe, num_clips: int = 64) -> float:
    """Share of hidden frames guessed right on clean clips; the same clips and masks at every call."""
    device, was_training = task.model.device, task.training
    task.eval()
    right, total = 0.0, 0
    for number, (clips, truth) in enumerate(validation_batches(speech, classes, num_clips, recipe.frames_per_clip)):
        np.random.seed(number)  # noqa: NPY002 - what WavLM's masks draw from
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16):
            logits, hidden = task(clips.to(device))
        _, accuracy = hidden_loss(logits, hidden, truth.to(device))
        right += accuracy.item() * int(hidden.sum())
        total += int(hidden.sum())
    task.train(was_training)
    return right / total
