"""Family: layers against each other. Training treats all layers alike, so that the odd one out tells of an accident."""

import re
from collections.abc import Iterator
from math import inf

from .check import Check, Problem, check, listing
from .statistics import sample
from .subject import LAYER, MATRICES, NORMS, TABLE, Subject, outliers

# How many times larger or smaller than its like in the other layers a tensor may be: (all layers, first and last).
# Matrices differ by a factor of 3 at most within trained models; norms, gates and biases are freer, and key biases do
# nothing and may be anything.
MATRIX_RATIO = (5.0, 7.0)
NORM_RATIO = (8.0, 20.0)
BIAS_RATIO = (25.0, 40.0)
CONVOLUTION_RATIO = (6.0, 8.0)
FREE = ("self_attn.k_proj.bias", "self_attn.grep_a", "self_attn.grep_linear.bias")
INITIAL_STD = 0.02  # of fresh linear weights, BERT's
NEGATIVE_SHARE = 0.3
ALONE = {  # tensors that are there once: (smallest, largest) root mean square times the initial one
    "feature_extractor.conv_layers.0.0.weight": (1 / 25, 25.0),  # a norm behind it hides its size
    TABLE: (0.7, inf),  # training only adds to it
    "post_extract_proj.weight": (1 / 12, 25.0),
    "encoder.pos_conv.0.weight_g": (1 / 20, 20.0),
}


@check("warning")
def scale_outlier(subject: Subject) -> Iterator[Problem]:
    """No tensor is many times larger or smaller than its like in the other layers, its neighbours above all."""
    for role, tensors in subject.roles.items():
        if role in FREE:
            continue
        sizes = {layer: subject.statistics[f"encoder.layers.{layer}.{role}"].root_mean_square for layer in tensors}
        allowed = MATRIX_RATIO if role in MATRICES else NORM_RATIO if role.endswith("norm.weight") else BIAS_RATIO
        for layer, times in outliers(sizes, *allowed):
            yield Problem(
                f"encoder.layers.{layer}.{role}",
                f"Its numbers are {_times(times)} than in the other layers.",
                "Was it scaled, or converted in another unit than the rest? Compare it with the original's.",
            )


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times larger" if ratio > 1 else f"{1 / ratio:.1f} times smaller"


@check("warning", "config")
def scale_of_single_tensors(subject: Subject) -> Iterator[Problem]:
    """Convolutions and projections without a like in the layers have a size that training can lead to."""
    convolutions = {}
    for name, tensor in subject.sound.items():
        size = subject.statistics[name].root_mean_square
        found = re.fullmatch(r"feature_extractor\.conv_layers\.(\d+)\.0\.weight", name)
        if found and int(found[1]) > 0:  # the first one reads the waveform, and is freer
            convolutions[int(found[1])] = size * (tensor[0].numel() / 2) ** 0.5  # times the initial size
        elif name in ALONE and size > 0:
            least, most = ALONE[name]
            times = size / _initial_size(subject, name)
            if not least < times < most:
                yield Problem(
                    name,
                    f"Its numbers are {_times(times)} than fresh ones; training does not go that far.",
                    "Was it scaled by a conversion? Compare it with the original's.",
                )
    for index, times in outliers(convolutions, *CONVOLUTION_RATIO):
        yield Problem(
            f"feature_extractor.conv_layers.{index}.0.weight",
            f"Its numbers are {_times(times)} than in the other convolutions, for its size.",
            "Was it scaled by a conversion? Compare it with the original's.",
        )


def _initial_size(subject: Subject, name: str) -> float:
    """Root mean square of a fresh tensor."""
    config = subject.config
    if name.endswith("weight_g"):
        return (4 * config.encoder_embed_dim / (config.conv_pos * config.conv_pos_groups)) ** 0.5
    if name == TABLE:
        return INITIAL_STD
    num_inputs = subject.sound[name][0].numel()
    return (2 / num_inputs) ** 0.5 if "conv_layers" in name else (3 * num_inputs) ** -0.5


@check("error")
def layer_norm_values(subject: Subject) -> Iterator[Problem]:
    """The weights of layer norms are positive, but for a few, and below 100."""
    for name, tensor in subject.sound.items():
        if not re.search(r"norm\.weight$|conv_layers\.\d+\.2\.(1\.)?weight$", name) or tensor.ndim != 1:
            continue
        negative = float((tensor < 0).float().mean())
        numbers = subject.statistics[name]
        if negative > NEGATIVE_SHARE:
            yield Problem(
                name,
                f"{negative:.0%} of its weights are negative, {numbers.mean:.3g} in the mean.",
                "Were weight and bias exchanged, or the sign lost? Trained layer norms stay positive.",
            )
        elif numbers.largest > 100:
            yield Problem(name, f"Its largest weight is {numbers.largest:.4g}.", "The tensor is damaged or was scaled.")


@check("warning", "trained")
def untrained_layer(subject: Subject) -> Iterator[Problem]:
    """No layer is fresh while the others are trained: its norms exactly 1 and 0, its biases exactly 0."""
    layers = {layer: _fresh_tensors(subject, layer) for layer in range(subject.num_layers)}
    reset = [layer for layer, (fresh, moved) in layers.items() if len(fresh) > 3 and len(fresh) >= len(moved)]
    for layer in reset if len(reset) <= len(layers) / 2 else []:
        fresh, moved = layers[layer]
        yield Problem(
            f"layer {layer}",
            f"{len(fresh)} of {len(fresh) + len(moved)} norms and biases are exactly at their initial values, "
            "while the other layers are trained.",
            "It was not loaded, or was reset on purpose. In a pre-trained model it computes noise.",
        )


@check("warning", "trained")
def untrained_tensors(subject: Subject) -> Iterator[Problem]:
    """No norm or bias is exactly at its initial value while its like in the other layers moved."""
    whole = {layer for layer in range(subject.num_layers) if len(_fresh_tensors(subject, layer)[0]) > 3}
    for role, tensors in subject.roles.items():
        if role in FREE or role.endswith("_proj.weight"):
            continue
        fresh = [layer for layer in tensors if _is_initial(subject, f"encoder.layers.{layer}.{role}")]
        if fresh and len(fresh) <= len(tensors) / 2:
            for layer in set(fresh) - whole:
                yield Problem(
                    f"encoder.layers.{layer}.{role}",
                    "It is exactly at its initial value; in the other layers training moved it.",
                    "It was lost and filled in again. Take it from the original.",
                )
    for name in ("encoder.layer_norm.weight", "encoder.layer_norm.bias", "layer_norm.weight", "layer_norm.bias",
                 "post_extract_proj.bias", "encoder.pos_conv.0.bias"):  # fmt: skip
        if name in subject.sound and _is_initial(subject, name):
            yield Problem(
                name, "It is exactly at its initial value, in a trained model.", "It was lost and filled in again."
            )


def _is_initial(subject: Subject, name: str) -> bool:
    numbers = subject.statistics[name]
    is_norm_weight = name.endswith("norm.weight")
    return (
        numbers.is_constant
        and numbers.lowest == (1 if is_norm_weight else 0)
        and (is_norm_weight or name.endswith("bias"))
    )


def _fresh_tensors(subject: Subject, layer: int) -> tuple[list[str], list[str]]:
    names = [
        name
        for name in subject.sound
        if (found := LAYER.fullmatch(name)) and int(found[1]) == layer and found[2] not in FREE
        and (found[2].startswith(NORMS) or found[2].endswith("bias"))
    ]  # fmt: skip
    fresh = [name for name in names if _is_initial(subject, name)]
    return fresh, [name for name in names if name not in fresh]


@check("warning")
def repeated_tensors(subject: Subject) -> Iterator[Problem]:
    """No matrix is there twice, in two layers or in two roles, as after a slip in a table of names."""
    seen: dict[tuple[tuple[int, ...], bytes], list[str]] = {}
    for name, tensor in subject.sound.items():
        if tensor.ndim > 1 and tensor.numel() > 64 and not subject.statistics[name].is_constant:
            seen.setdefault((tuple(tensor.shape), sample(tensor).numpy().tobytes()), []).append(name)
    same = [names for names in seen.values() if len(names) > 1]
    layers: dict[tuple[str, ...], list[list[str]]] = {}
    for names in same:
        found = [LAYER.fullmatch(name) for name in names]
        is_layerwise = all(found) and len({match[2] for match in found if match}) == 1
        key = tuple(match[1] for match in found if match) if is_layerwise else tuple(names)
        layers.setdefault(key, []).append(names)
    for key, groups in layers.items():
        if len(groups) > 2:
            yield Problem(
                f"layers {' and '.join(key)}",
                f"{len(groups)} matrices of these layers are the same.",
                "A layer was copied in place of another: convert the file again.",
            )
        else:
            for names in groups:
                yield Problem(listing(names), "These hold the same numbers.", "One was saved in place of the other.")


@check("note")
def freshly_initialised(subject: Subject) -> Iterator[Problem]:
    """Whether the weights are trained at all; statistics that presuppose it are not applied to others."""
    if subject.training == "fresh":
        spreads = [
            subject.statistics[f"encoder.layers.{layer}.{role}"].std
            for role in MATRICES
            for layer in subject.roles.get(role, {})
        ]
        spread = f" Matrices have a standard deviation of {min(spreads):.3f} to {max(spreads):.3f}." if spreads else ""
        found = f"The weights are freshly initialised: the layers' norms are exactly 1 and 0.{spread}"
        yield Problem(subject.checkpoint.name, found, "Fine before training. As a released model it was never loaded.")
    elif subject.training == "random":
        found = "The weights bear no trace of training: matrices that it balances against each other are unrelated."
        yield Problem(subject.checkpoint.name, found, "Drawn at random, or trained for a few steps only.")


CHECKS: tuple[Check, ...] = (
    freshly_initialised,
    scale_outlier,
    scale_of_single_tensors,
    layer_norm_values,
    untrained_layer,
    untrained_tensors,
    repeated_tensors,
)
