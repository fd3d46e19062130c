"""Family: gates. Does each layer's gate read the frame, and has it learned to?

A gate sums rows 0 to 3 and rows 4 to 7 of grep_linear. The four rows of a sum get the same gradient always, so they
differ by their initial values only, a little, and what they have in common is what was learned.
"""

from collections.abc import Iterator
from statistics import median

import torch
from torch import Tensor

from .check import Check, Problem, check, listing
from .subject import Subject

LARGEST_CONSTANT = 50.0  # of grep_a; from -1 to 3 in the models measured here
SATURATED = 1e-4  # a sigmoid nearer to 0 or 1 than this moves no more
SWITCHES = 0.95  # share of saturated sigmoids; the bundled model, healthy, has up to 0.7
STILL = 1e-5  # standard deviation over time of a gate that does not move


def halves(weight: Tensor) -> tuple[float, float]:
    """What the four rows of each sum have in common, and how much they differ: root mean squares."""
    fours = weight.unflatten(0, (2, 4))
    common = fours.mean(dim=1, keepdim=True)
    return float(common.pow(2).mean().sqrt()), float((fours - common).pow(2).mean().sqrt())


def gate_weights(subject: Subject) -> dict[int, Tensor]:
    """The sound grep_linear.weight of each layer, eight rows each."""
    return {
        layer: weight.detach().float()
        for layer, weight in subject.roles.get("self_attn.grep_linear.weight", {}).items()
        if weight.ndim == 2 and len(weight) == 8
    }


@check("warning", "gate")
def dead_gate(subject: Subject) -> Iterator[Problem]:
    """No gate's sums are zero throughout: it would be the same for every frame."""
    for layer, weight in gate_weights(subject).items():
        common, apart = halves(weight)
        if common <= 1e-4 * apart:  # chance gives half of it
            yield Problem(
                f"layer {layer}",
                "The gate's weights sum to zero: it does not look at the frame, the bias is only scaled.",
                "The original's gate was not loaded here. Take grep_linear from the original.",
            )


@check("warning", "gate")
def gate_constant(subject: Subject) -> Iterator[Problem]:
    """grep_a is a number of moderate size for each head, never exactly 0, never far above that of other layers."""
    constants = {
        layer: tensor.detach().float().flatten() for layer, tensor in subject.roles["self_attn.grep_a"].items()
    }
    for layer, values in constants.items():
        others = [float(other.abs().max()) for index, other in constants.items() if index != layer]
        for head, value in enumerate(values.tolist()):
            if value == 0:
                found = "grep_a is exactly 0: half of the gate has no effect."
            elif abs(value) > LARGEST_CONSTANT or (others and abs(value) > 8 * max(*others, 1.0)):
                found = f"grep_a is {value:.3g}: the gate can multiply the bias by up to {abs(value) + 1:.3g}."
            else:
                continue
            yield Problem(f"layer {layer}, head {head}", found, "Trained ones are about 1. Compare with the original.")


@check("warning", "gate", "trained")
def untrained_gate(subject: Subject) -> Iterator[Problem]:
    """No layer's gate is fresh while the other layers' have learned."""
    weights = gate_weights(subject)
    learned = {layer: common / max(apart, 1e-12) for layer, (common, apart) in
               ((layer, halves(weight)) for layer, weight in weights.items())}  # fmt: skip
    for layer, ratio in learned.items():
        others = [other for index, other in learned.items() if index != layer]
        if len(others) > 1 and ratio < 1 and median(others) > 2:
            yield Problem(
                f"layer {layer}",
                f"grep_linear looks fresh: what its rows have in common is {ratio:.1f} times what they differ by, "
                f"{median(others):.0f} times in the other layers.",
                "It was drawn anew when it was loaded: names did not match. Take it from the original.",
            )
    constants = subject.roles["self_attn.grep_a"]
    fresh = [layer for layer, values in constants.items() if bool((values == 1).all()) and values.numel() > 1]
    if fresh and len(fresh) <= len(constants) / 2:
        for layer in fresh:
            yield Problem(
                f"layer {layer}",
                "grep_a is exactly 1 for all heads, its initial value; in the other layers it moved.",
                "It was not loaded. Take it from the original.",
            )
    elif fresh and len(fresh) == len(constants):
        yield Problem(
            "all layers",
            "grep_a is exactly 1 everywhere, its initial value, in a trained model.",
            "It was not loaded, or was frozen in training.",
        )


@check("warning", "gate", "trained")
def mixed_gate_rows(subject: Subject) -> Iterator[Problem]:
    """The rows of grep_linear are in order: the four of each sum are nearly alike."""
    apart = {layer: halves(weight)[1] for layer, weight in gate_weights(subject).items()}
    for layer, value in apart.items():
        others = [other for index, other in apart.items() if index != layer]
        if value > 0.25 and (not others or value > 5 * median(others) or median(others) > 0.25):
            yield Problem(
                f"layer {layer}",
                f"The rows that are summed differ by {value:.2g}; training moves them alike, from some 0.02 apart.",
                "Rows of grep_linear were reordered: rows 0 to 3 belong to one sum, 4 to 7 to the other.",
            )


@check("warning", "gate", "clip", "trained")
def saturated_gate(subject: Subject) -> Iterator[Problem]:
    """On a clip, the gates of each layer move with the sound."""
    assert subject.clip is not None
    for layer, gates in enumerate(subject.clip.inside.gates):  # [heads, frames]
        still = gates.std(dim=-1) < STILL
        heads = still.nonzero().flatten().tolist()
        if not heads:
            continue
        is_all = len(heads) == len(gates)
        yield Problem(
            f"layer {layer}" if is_all else f"layer {layer}, heads {listing([str(head) for head in heads])}",
            f"The gate stays at {float(gates[still].mean()):.3f} whatever is heard: its sigmoids are stuck.",
            "If the layer's weights are right, it has learned to ignore the frame; more likely grep_linear was scaled.",
            "warning" if is_all else "note",
        )


@check("warning", "gate", "clip", "trained")
def gate_at_its_ends(subject: Subject) -> Iterator[Problem]:
    """On a clip, a layer's gates do not jump between the ends of their sigmoids only."""
    clip = subject.clip
    assert clip is not None
    with torch.no_grad():
        for layer in range(clip.made.num_layers):
            block = clip.model.encoder.block(layer)
            x = block.attention_input(clip.made.hidden_states[layer].unsqueeze(1))  # [frames, batch, width]
            weight, bias = block.self_attn.grep_linear.weight, block.self_attn.grep_linear.bias
            sums = (x.unflatten(-1, (clip.made.num_heads, -1)) @ weight.T + bias).unflatten(-1, (2, 4)).sum(-1)
            sigmoids = sums.sigmoid()
            share = float(((sigmoids < SATURATED) | (sigmoids > 1 - SATURATED)).float().mean())
            if share > SWITCHES:
                yield Problem(
                    f"layer {layer}",
                    f"{share:.0%} of the gate's sigmoids are at 0 or 1: it switches instead of grading.",
                    "grep_linear is far larger than training leaves it. Compare it with the original's.",
                )


CHECKS: tuple[Check, ...] = (
    dead_gate,
    gate_constant,
    untrained_gate,
    mixed_gate_rows,
    saturated_gate,
    gate_at_its_ends,
)
