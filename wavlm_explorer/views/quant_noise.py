"""Quant noise: what becomes of a clip when blocks of one weight are switched off."""

from collections.abc import Iterator

import numpy as np

from ..figures.noise import (
    name_growth,
    name_share,
    noise_attention,
    noise_effect,
    noise_mask,
    noise_over_steps,
    noise_weight,
    num_steps,
)
from ..figures.style import Palette
from ..noise import WEIGHT_NAMES, Noise, NoisedPass, block_sizes, noised_pass, relative_changes
from ..tracing import Trace
from .view import Choice, Exhibit, Fraction, Lesson, Option, Redraw, View, choose_head, choose_layer

LARGEST_P = 0.9
DEFAULT_BLOCK = "8"  # as of the original
LOGIT_WEIGHTS = ("q_proj", "k_proj")  # these change the attention of their own layer, all others that of later ones

LESSON = Lesson(
    what=(
        "Small models store weights coarsely. **Quantisation noise** prepares a model for that while it is trained: at "
        "each step it switches off random *blocks* of a weight and makes the rest larger, so that no single number "
        "becomes indispensable. Here one such draw is tried on a **copy** of one weight of the loaded model; the model "
        "itself is never changed. In training, the original's `quant_noise` **overwrites** the weight at every step "
        "and never takes it back: after k steps a block is still there with chance $(1-p)^k$, and has grown by "
        "$1/(1-p)^k$, unless the optimiser pulls it back."
    ),
    equation=r"\tilde W = \frac{1}{1-p}\; W \odot (1 - M), \qquad M_{\text{block}} \sim \text{Bernoulli}(p)",
    symbols=(
        (r"W", "the weight: one row for each output channel"),
        (r"M", "the mask, drawn once for each block of neighbouring inputs of a row; 1 is dropped"),
        (r"p", "the chance of a block to be dropped"),
        (r"\tfrac{1}{1-p}", "makes up for what is missing, so that the mean stays"),
    ),
    try_this=(
        "Raise p until the attention map changes visibly. Then press *Draw again* a few times: how much depends on "
        "which blocks were hit? Compare q_proj in a low layer with fc2 in the last."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head, weight, chance, block size and draw."""
    sizes = tuple(str(size) for size in block_sizes(trace.model))
    block = DEFAULT_BLOCK if DEFAULT_BLOCK in sizes else sizes[-1]
    return (
        choose_layer(trace),
        choose_head(trace),
        Option("weight", "Weight", "Of the chosen layer.", WEIGHT_NAMES, WEIGHT_NAMES[0]),
        Fraction("p", "p", "The chance of each block to be dropped.", 0.0, LARGEST_P, 0.1),
        Option("block", "Block size", "Neighbouring inputs that are dropped together.", sizes, block),
        Redraw("draw", "Draw again", "Its number is the seed: the same number is the same draw."),
    )  # fmt: skip


def exhibits(
    trace: Trace, palette: Palette, layer: int, head: int, weight: str, p: float, block: str, draw: int
) -> Iterator[Exhibit]:
    """Yield the mask, the weight before and after, and what it does to this clip now and over training steps."""
    noised = noised_pass(trace, Noise(layer, weight, p, int(block), draw))
    yield from _weight(noised, palette)
    yield _attention(trace, noised, palette, head)
    states, output = relative_changes(trace, noised.trace)
    yield Exhibit(
        "noise_effect",
        noise_effect(trace, noised, palette),
        f"What leaves layer {layer} moves by {name_share(float(states[layer + 1]))} of its length, the output by "
        f"{name_share(output)}. Below the noised layer nothing changes.",
        lambda: {"relative_change_of_states": states.numpy(), "relative_change_of_output": np.array(output)},
        share=0.5,
    )
    steps = num_steps(p)
    survival, growth = (1 - p) ** steps, name_growth(p, steps)
    yield Exhibit(
        "noise_over_steps",
        noise_over_steps(p, palette),
        f"In training the noise is drawn anew at every step and never undone. After {steps} steps "
        f"{name_share(survival)} of the blocks were never dropped, and those would be {growth} times as large.",
        lambda: {"steps": np.arange(steps + 1), "never_dropped": (1 - p) ** np.arange(steps + 1)},
        share=0.5,
    )


def _weight(noised: NoisedPass, palette: Palette) -> Iterator[Exhibit]:
    noise, mask = noised.noise, noised.mask
    blocks, dropped = mask.numel() // noise.block_size, int(mask.sum()) // noise.block_size
    moved = float((noised.after - noised.before).norm() / noised.before.norm().clamp(min=1e-12))
    yield Exhibit(
        "noise_mask",
        noise_mask(noised, palette),
        f"This draw drops {dropped:,} of {blocks:,} blocks of {noise.block_size}.",
        lambda: {"mask": mask.numpy()},
        share=0.355,
    )
    yield Exhibit(
        "noise_weight",
        noise_weight(noised, palette),
        f"The framed corner. What is left is multiplied by {1 / (1 - noise.p):.3g}; as a whole the weight moves by "
        f"{name_share(moved)} of its length.",
        lambda: {"before": noised.before.numpy(), "after": noised.after.numpy()},
        share=0.645,
    )


def _attention(trace: Trace, noised: NoisedPass, palette: Palette, head: int) -> Exhibit:
    noise = noised.noise
    is_own = noise.weight in LOGIT_WEIGHTS
    shown = noise.layer if is_own else min(noise.layer + 1, trace.num_layers - 1)
    before, after = (one.attention(shown, head)[0] for one in (trace, noised.trace))
    largest = float((after - before).abs().max())
    moved = float((after - before).abs().sum(dim=-1).mean() / 2)
    if is_own:
        where = f"{noise.weight} takes part in the attention of its own layer. "
    elif shown > noise.layer:
        where = f"{noise.weight} works behind the attention of layer {noise.layer}, so this is the next layer's. "
    else:
        where = f"{noise.weight} works behind the attention of the last layer, so no attention changes. "
    return Exhibit(
        "noise_attention",
        noise_attention(trace, noised, shown, head, palette=palette),
        f"{where}A frame of head {head} moves {name_share(moved)} of its attention elsewhere; the largest change of a "
        f"weight is {largest:.2g}.",
        lambda: {"before": before.numpy(), "after": after.numpy(), "frame_times": trace.frame_times.numpy()},
    )


VIEW = View("quant-noise", "Quant noise", "blur_on", LESSON, exhibits, choices, order=50)
