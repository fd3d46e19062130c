"""Family: on a clip. What do the layers make of sound?"""

from collections.abc import Iterator
from itertools import pairwise

import torch

from .check import Check, Problem, check, listing
from .clip import Clip
from .subject import Subject

HALF_LARGEST = float(torch.finfo(torch.float16).max)  # 65504
NEAR_HALF_LARGEST = HALF_LARGEST / 8  # three more bits: a louder or longer clip may get there
IDLE = 1e-4  # change of a layer's input, relative; trained layers change theirs by a tenth or more
EXPLODES = 30.0  # growth in one layer; trained pre-norm models grow by 5 at most
COLLAPSED = 1e-4  # share of the output's power that varies over time


def heard(subject: Subject) -> Clip:
    """The clip; only for checks that need one."""
    assert subject.clip is not None
    return subject.clip


@check("error", "model")
def clip_runs(subject: Subject) -> Iterator[Problem]:
    """A short clip goes through the model and comes out as finite numbers."""
    clip = heard(subject)
    if clip.trace is None:
        yield Problem("the forward pass", f"It failed: {clip.failure}", "Correct the config, or choose another clip.")
        return
    broken = (~clip.trace.hidden_states.isfinite()).flatten(1).any(dim=1).nonzero().flatten().tolist()
    if broken:
        place = "what enters layer 0" if broken[0] == 0 else f"what leaves layer {broken[0] - 1}"
        yield Problem(
            place, "NaN or infinite numbers on a clip of speech.", "A weight up to here is damaged or far too large."
        )


@check("warning", "clip")
def half_precision(subject: Subject) -> Iterator[Problem]:
    """No stage comes near 65504, where half precision overflows: hidden states, attention scores, feed-forward.

    Above it half precision gives infinity for certain (a warning); within a factor of 8, on another clip (a note).
    """
    clip = heard(subject)
    stages = {
        "hidden states": clip.profile.largest[1:],
        "attention scores": clip.inside.scores,
        "the feed-forward's inner layer": clip.inside.hidden,
    }
    for name, values in stages.items():
        if not values.isfinite().all() or not len(values):
            continue
        layer, largest = int(values.argmax()), float(values.max())
        if largest > NEAR_HALF_LARGEST:
            yield Problem(
                f"layer {layer}",
                f"{name} reach {largest:.3g} on the clip; half precision ends at 65504.",
                "Run this model in float32 or bfloat16, or keep its softmax and norms in float32.",
                "warning" if largest > HALF_LARGEST else "note",
            )


@check("warning", "clip", "trained")
def idle_layer(subject: Subject) -> Iterator[Problem]:
    """Every layer changes what goes through it."""
    for layer, change in enumerate(heard(subject).profile.change.tolist()):
        if change < IDLE:
            yield Problem(
                f"layer {layer}",
                f"It changes its input by {change:.1g}, relative: the layer does nothing.",
                "Its outputs (out_proj and fc2) were lost or scaled down. Compare them with the original's.",
            )


@check("warning", "clip", "trained")
def exploding_layer(subject: Subject) -> Iterator[Problem]:
    """No layer makes its input many times larger."""
    sizes = heard(subject).profile.root_mean_square.tolist()
    for layer, (entering, leaving) in enumerate(pairwise(sizes)):
        if entering > 0 and leaving > EXPLODES * entering:
            yield Problem(
                f"layer {layer}",
                f"What leaves it is {leaving / entering:.0f} times as large as what enters.",
                "A weight of this layer is far too large, or the norms are in the wrong place (layer_norm_first).",
            )


@check("warning", "clip", "trained")
def collapsed_output(subject: Subject) -> Iterator[Problem]:
    """Different sounds come out differently."""
    output = heard(subject).made.output
    varying = float((output - output.mean(dim=0)).pow(2).mean() / output.pow(2).mean().clamp(min=1e-30))
    if varying < COLLAPSED:
        yield Problem(
            "the output",
            f"All frames come out alike: {varying:.1g} of the power varies over the clip.",
            "Something before has lost the sound: look for the first layer whose variety drops.",
        )


@check("warning", "clip", "trained")
def collapsed_attention(subject: Subject) -> Iterator[Problem]:
    """In no layer do all heads look at a single frame, or at all frames alike."""
    for layer, heads in enumerate(heard(subject).inside.entropy):
        if float(heads.max()) < 0.01:
            found = "All heads put all weight on a single frame: the scores are far too large."
        elif float(heads.min()) > 0.9999:
            found = "All heads attend to all frames alike: the scores are zero, content and position are dead."
        else:
            continue
        yield Problem(f"layer {layer}", found, "Look at q_proj, k_proj and the gate of this layer.")


@check("warning", "clip", "trained")
def identical_maps(subject: Subject) -> Iterator[Problem]:
    """No two heads of a layer have the same attention map."""
    inside = heard(subject).inside
    for layer, (likeness, entropy) in enumerate(zip(inside.likeness, inside.entropy, strict=True)):
        pairs = [
            f"{first} and {second}"
            for first, second in (likeness.triu(diagonal=1) > 0.99999).nonzero().tolist()
            if max(float(entropy[first]), float(entropy[second])) < 0.99  # even maps are all alike
        ]
        if pairs:
            yield Problem(
                f"layer {layer}, heads {listing(pairs)}",
                "They have the same attention map on the clip.",
                "One was copied over the other, or their content is dead and their biases equal.",
            )


@check("note")
def silent_clip(subject: Subject) -> Iterator[Problem]:
    """The clip has sound in it, not more than full scale, and no offset."""
    samples = torch.tensor(subject.audio.samples)
    largest = float(samples.abs().max()) if len(samples) else 0.0
    if largest < 1e-4:
        yield Problem(subject.audio.name, "The clip is silent.", "Activations then say little: try speech.")
    elif largest > 1.5:
        yield Problem(subject.audio.name, f"The samples reach {largest:.3g}; full scale is 1.", "Divide by full scale.")
    elif abs(float(samples.mean())) > 0.1 * float(samples.std()):
        yield Problem(
            subject.audio.name,
            f"The clip has an offset of {float(samples.mean()):.3g}.",
            "Large hears it unless its input is normalised; Base does not.",
        )


CHECKS: tuple[Check, ...] = (
    clip_runs,
    half_precision,
    idle_layer,
    exploding_layer,
    collapsed_output,
    collapsed_attention,
    identical_maps,
    silent_clip,
)
