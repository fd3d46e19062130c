"""Gradients: how WavLM lets its convolutions learn more slowly than its transformer, and what becomes of that."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..excerpt import can_hear
from ..figures.front_end_gradients import first_steps_by_weight, gradients_by_weight
from ..figures.style import Palette
from ..front_end_gradients import (
    STRETCH_SECONDS,
    FrontEndGradients,
    front_end_gradients,
    learning_weights,
)
from ..tracing import Trace
from .view import Choice, Exhibit, Fraction, Item, Lesson, Note, View, choose_frame

REFERENCES = (1.0, 0.1)  # scales beside the chosen one; 0.1 is what wav2vec 2.0 took for Base

LESSON = Lesson(
    what=(
        "In training, each weight is told by its **gradient** which way to move. Gradients are computed backwards, "
        "from the objective down to the first convolution. Between the convolutions and all that stands behind them, "
        "the original puts **GradMultiply**: on the way forward it changes nothing, on the way back it multiplies the "
        "gradient by a number, `feature_grad_mult`, so that the convolutions learn more slowly. Here a **copy** of the "
        f"front end hears {1000 * STRETCH_SECONDS:.0f} ms around the chosen frame and really goes back once."
    ),
    equation=(
        r"\begin{split} \text{forward:}\quad y &= x \\ "
        r"\text{back:}\quad \tfrac{\partial J}{\partial x} &= s\, \tfrac{\partial J}{\partial y} \\ "
        r"\text{here:}\quad J &= \text{mean}(u^2) \end{split}"
    ),
    symbols=(
        (r"x,\ y", "what leaves the last convolution, before and behind GradMultiply"),
        (r"s", "the scale, feature_grad_mult; at 0 nothing comes back at all"),
        (r"J", "the objective: what training would make smaller. This one is only there to have a gradient"),
        (r"u", "what enters the transformer: y, normed and projected"),
    ),
    try_this=(
        "Move the scale from 1 to 0.1: the gradients left of the dashed line become ten times smaller, those right of "
        "it stay, and J stays to the last bit. Then look at the other picture: gradient descent takes shorter steps "
        "there, but **Adam**, with which such models are trained, hardly notices. What happens at 0?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """The frame and the scale."""
    scale = Fraction("gradient_scale", "Scale", "What feature_grad_mult would be.", 0.0, 1.0, 0.5)
    return choose_frame(trace), scale


def exhibits(trace: Trace, palette: Palette, frame: int, gradient_scale: float) -> Iterator[Item]:
    """Yield the gradients of the front end's weights under several scales, and the first steps made of them."""
    if not can_hear(trace.model):
        yield Note(
            "This trace was opened from a file, and such a file holds the layers but **not the convolutions** before "
            "them, so there is nothing here that could learn. Choose the checkpoint itself and a sound, or *nano*."
        )
        return
    scales = dict.fromkeys((gradient_scale, *REFERENCES))
    passes = {scale: front_end_gradients(trace, frame, scale) for scale in scales}
    names = [*learning_weights(trace.model)]
    yield _sizes(trace, palette, names, passes, gradient_scale)
    yield _steps(palette, names, passes, gradient_scale)


def _sizes(
    trace: Trace, palette: Palette, names: list[str], passes: dict[float, FrontEndGradients], scale: float
) -> Exhibit:
    sizes = {each: passed.sizes for each, passed in passes.items()}
    is_same = all(torch.equal(passed.output, passes[scale].output) for passed in passes.values())
    known = trace.model.source.fields.get("feature_grad_mult", "assumed")
    return Exhibit(
        "gradients_by_weight",
        gradients_by_weight(names, sizes, scale, palette),
        f"{_compare(names, sizes, scale)} On the way forward all scales give {'' if is_same else 'nearly '}the same "
        f"{'numbers bit for bit' if is_same else 'numbers'}, and J = {passes[scale].objective:.3g}. This checkpoint's "
        f"own feature_grad_mult is {trace.model.config.feature_grad_mult:g} ({known}).",
        lambda: {"scales": np.array([*sizes]), "norms": torch.stack([*sizes.values()]).numpy()},
        share=0.5,
    )


def _compare(names: list[str], sizes: dict[float, Tensor], scale: float) -> str:
    """Say what arrives at the convolutions under a scale, against a scale of 1."""
    if scale == 0:
        return (
            "At scale 0 **no gradient** reaches the convolutions: the model does not even keep what it would need to "
            "go back through them, which saves time and memory, and they stay as they are."
        )
    arrives = _shares(sizes[scale], sizes[1.0])[: names.index("norm")]
    least, most = f"{float(arrives.min()):.4f}", f"{float(arrives.max()):.4f}"
    return (
        f"At scale {scale:g} every convolution gets {least if least == most else f'{least} to {most}'} times the "
        "gradient that it gets at 1; what stands behind GradMultiply gets all of it."
    )


def _steps(palette: Palette, names: list[str], passes: dict[float, FrontEndGradients], scale: float) -> Exhibit:
    chosen, unscaled = passes[scale], passes[1.0]
    plain, adam = _shares(chosen.sizes, unscaled.sizes), _shares(chosen.adam_steps, unscaled.adam_steps)
    first = names.index("norm")
    reason = (
        ""
        if scale in (0, 1)
        else " Adam divides each gradient by its own recent size, so a factor that is always the same cancels out. "
        "It still counts where the gradients of all weights are clipped together, and where they are tiny."
    )
    return Exhibit(
        "first_steps_by_weight",
        first_steps_by_weight(names, plain, adam, scale, palette),
        f"Against a scale of 1, the first step of the convolutions is {float(plain[:first].mean()):.3f} times as long "
        f"by gradient descent and {float(adam[:first].mean()):.3f} times by Adam (mean over the convolutions).{reason}",
        lambda: {"gradient_descent": plain.numpy(), "adam": adam.numpy()},
        share=0.5,
    )


def _shares(of: Tensor, whole: Tensor) -> Tensor:
    return of / whole.clamp(min=torch.finfo(torch.float32).tiny)


VIEW = View("gradients", "Gradients", "trending_down", LESSON, exhibits, choices, order=72)
