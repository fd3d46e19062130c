"""Chapter: what noise does."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..accumulation import accumulate
from ..figures.accumulation import noise_steps
from ..figures.noise import WEIGHT_CELLS, noise_effect, noise_mask, noise_weight
from ..figures.style import Palette
from ..noise import Noise, NoisedPass, block_sizes, noised_pass, relative_changes
from ..noise_effects import attention_moved
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Fraction, Redraw, choose_head, choose_layer
from ..wording import name_growth, name_share
from .chapter import Scene, Verdict

WEIGHT = "fc2"  # which every WavLM has
LARGEST_BLOCK = 8  # as of the original
FIRST_P, LARGEST_P = 0.1, 0.9
STEPS = 20
MUCH = 0.2  # of the output's length


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head, chance and draw."""
    return (
        choose_layer(trace),
        choose_head(trace),
        Fraction("p", "p", "The chance of each block to be dropped.", 0.0, LARGEST_P, FIRST_P),
        Redraw("draw", "Draw again", "Its number is the seed: the same number is the same draw."),
    )


def begin(trace: Trace) -> dict[str, Any]:
    """With a little noise in a middle layer."""
    return {"layer": trace.num_layers // 2, "head": 0, "p": FIRST_P, "draw": 0}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, p: float, draw: int) -> Iterator[Exhibit]:
    """Yield the mask, the weight before and after, and what it does to this clip now and over training steps."""
    noised = _noised(trace, layer, p, draw)
    states, output = relative_changes(trace, noised.trace)
    yield Exhibit(
        "noise_mask",
        noise_mask(noised, palette),
        f"Each orange dash is a block of {noised.noise.block_size} numbers that this draw drops.",
        lambda: {"mask": noised.mask.numpy()},
        share=0.355,
    )
    yield Exhibit(
        "noise_weight",
        noise_weight(noised, palette),
        f"What is left is multiplied by 1 / (1 − p) = {1 / (1 - p):.3g}.",
        lambda: {"before": noised.before.numpy(), "after": noised.after.numpy()},
        share=0.645,
    )
    yield Exhibit(
        "noise_effect",
        noise_effect(trace, noised, attention_moved(trace, noised.noise), head, palette),
        f"What leaves layer {layer} moves by {name_share(float(states[layer + 1]))} of its length, the output by "
        f"{name_share(output)}. Below layer {layer} nothing changes.",
        lambda: {"relative_change_of_states": states.numpy(), "relative_change_of_output": np.array(output)},
        share=0.5,
    )
    noise = noised.noise
    both = accumulate(noised.before, p, noise.block_size, draw, STEPS, [STEPS], WEIGHT_CELLS)
    left = float(both.overwritten.kept[-1])
    yield Exhibit(
        "noise_steps",
        noise_steps(both, p, palette),
        f"If nothing pulls it back: after {STEPS} training steps {name_share(left)} of the numbers were never dropped, "
        f"and what was never dropped would have grown × {name_growth(p, STEPS)}.",
        lambda: {"kept": both.overwritten.kept.numpy(), "growth": both.overwritten.growth.numpy()},
        share=0.5,
    )


def judge(trace: Trace, layer: int, head: int, p: float, draw: int) -> Verdict:
    """Done when p was raised and the output has moved by more than a fifth of its length."""
    output = relative_changes(trace, _noised(trace, layer, p, draw).trace)[1]
    words = f"With p = {p:g} in layer {layer}, the output moves by {name_share(output)}."
    return Verdict(p > FIRST_P and output > MUCH, words)


def _noised(trace: Trace, layer: int, p: float, draw: int) -> NoisedPass:
    block = max(size for size in block_sizes(trace.model) if size <= LARGEST_BLOCK)
    return noised_pass(trace, Noise(layer, WEIGHT, p, block, draw))


SCENE = Scene("quant-noise", choices, begin, exhibits, judge)
