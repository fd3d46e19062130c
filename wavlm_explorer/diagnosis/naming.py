"""Family: loading and naming. Is every tensor there, under its name, and nothing else?"""

import difflib
import re
from collections.abc import Iterator, Mapping

from torch import Tensor

from ..checkpoints.layouts import name_in, plain_name
from ..checkpoints.search import dictionaries
from .check import Check, Problem, check, listing
from .subject import LAYER, TABLE, Subject

ALIKE = 0.6  # share of two names that agrees, for one to be taken for the other misspelt
DAMAGED = "The file was made by a faulty conversion, or saved in part. Convert it again from the original."


def strangers(subject: Subject) -> dict[str, Tensor]:
    """Tensors beside the encoder's own that nobody explains, under the file's names."""
    checkpoint = subject.checkpoint
    outside = [name for name, reason in checkpoint.account.ignored.items() if reason.startswith("outside")]
    state = next((found for where, found in dictionaries(checkpoint.contents.values) if where == checkpoint.where), {})
    names = [*checkpoint.account.unexpected, *outside]
    return {name: state[name] for name in names if isinstance(state.get(name), Tensor)}


def renamings(subject: Subject) -> dict[str, str]:
    """Match what is missing with strangers of its shape whose names are alike: original's name -> the file's."""
    left, pairs = strangers(subject), {}
    for missing in subject.checkpoint.account.missing:
        theirs = _their_name(subject, missing)
        shape = subject.expected[missing]
        alike = {
            name: difflib.SequenceMatcher(None, plain_name(name), theirs, autojunk=False).ratio()
            for name, tensor in left.items()
            if tuple(tensor.shape) == shape
        }
        best = max(alike, key=lambda name: alike[name], default="")
        if best and alike[best] >= ALIKE:
            pairs[missing] = best
            del left[best]
    return pairs


def _their_name(subject: Subject, original: str) -> str:
    try:
        return subject.checkpoint.prefix + name_in(subject.checkpoint.layout, original)
    except KeyError:
        return original


def _lost_layers(subject: Subject) -> set[int]:
    """Layers of which not one tensor is there."""
    present = {int(found[1]) for name in subject.checkpoint.tensors if (found := LAYER.fullmatch(name))}
    return set(range(subject.num_layers)) - present


@check("error")
def readable(subject: Subject) -> Iterator[Problem]:
    """The source can be read, without running anything in it, and holds the tensors of a WavLM.

    Sources cut short, Git LFS pointers, web pages saved as a model and archives of another kind end here.
    """
    for problem in subject.checkpoint.problems:
        yield Problem(subject.checkpoint.name, problem, "Correct this, or set the field yourself by an override.")


@check("error", "config")
def missing_tensors(subject: Subject) -> Iterator[Problem]:
    """Every tensor that the config asks for is there."""
    renamed, lost = renamings(subject), _lost_layers(subject)
    missing = [
        name
        for name in subject.checkpoint.account.missing
        if name not in renamed
        and name != TABLE
        and ".grep_" not in name
        and not ((found := LAYER.fullmatch(name)) and int(found[1]) in lost)
    ]
    for name in missing:
        yield Problem(name, f"The file has no {_their_name(subject, name)}, nor one of its shape misspelt.", DAMAGED)


@check("error", "config")
def renamed_tensors(subject: Subject) -> Iterator[Problem]:
    """No tensor hides under a name that is nearly right: misspelt, or with a prefix that the others do not have."""
    for missing, name in renamings(subject).items():
        theirs = _their_name(subject, missing)
        if name.endswith(theirs) or theirs.endswith(name):
            found = f"It is there as {name}: with another prefix than the tensors beside it ({theirs})."
        else:
            found = f"It is missing; {name}, of the same shape, is there and unknown."
        yield Problem(missing, found, f"Rename it to {theirs}, or it stays at its random initial value when loaded.")


@check("error")
def unexpected_tensors(subject: Subject) -> Iterator[Problem]:
    """There is no tensor that no WavLM has."""
    taken = set(renamings(subject).values()) if subject.checkpoint.config is not None else set()
    config = subject.checkpoint.config
    known = "relative_attention_bias|rel_attn_embed"  # another check's
    if config is not None and not config.gru_rel_pos and subject.checkpoint.shapes_say["gru_rel_pos"]:
        known += "|grep_|gru_rel_pos"
    for name in subject.checkpoint.account.unexpected:
        if name in taken or re.search(known, name):
            continue
        advice = "If it belongs to a head, save the encoder alone; if the config is silent on it, correct the config."
        if ".lora_" in name:
            advice = "A LoRA adapter that was not merged: call merge_and_unload() where it was made, and save again."
        yield Problem(name, "No WavLM of this config has such a tensor.", advice)


@check("error")
def wrong_shapes(subject: Subject) -> Iterator[Problem]:
    """Every tensor has the shape that the config asks for."""
    for name, (expected, found) in subject.checkpoint.account.wrong_shape.items():
        if len(expected) > 1 and found == expected[::-1]:
            continue
        advice = "Either the tensor or the config is from another model."
        if name.endswith("pos_conv.0.weight_g") and len(found) == 3 and found[1:] == (1, 1):
            advice = "The weight norm was taken over dimension 0; WavLM's is over dimension 2, a length for each tap."
        yield Problem(name, f"Expected {list(expected)}; found {list(found)}.", advice)


@check("error")
def transposed_tensors(subject: Subject) -> Iterator[Problem]:
    """No matrix lies on its side: PyTorch keeps [outputs, inputs], other frameworks the opposite."""
    for name, (expected, found) in subject.checkpoint.account.wrong_shape.items():
        if len(expected) > 1 and found == expected[::-1]:
            yield Problem(
                name, f"Expected {list(expected)}; found {list(found)}: it is transposed.", "Transpose it back."
            )


@check("error", "config")
def layer_gap(subject: Subject) -> Iterator[Problem]:
    """The layers are numbered from 0 without a gap, as many as the config says."""
    lost = sorted(_lost_layers(subject))
    if lost:
        yield Problem(
            f"layer{'s' * (len(lost) > 1)} {listing([str(layer) for layer in lost])}",
            f"Of {subject.num_layers} layers, {len(lost)} {'have' if len(lost) > 1 else 'has'} no tensor at all.",
            "If pruned, number the layers anew and correct the config's count; else fetch the file again.",
        )


@check("error", "config")
def position_bias_missing(subject: Subject) -> Iterator[Problem]:
    """Layer 0 has the table of position biases that serves all layers."""
    if TABLE in subject.checkpoint.account.missing and TABLE not in renamings(subject):
        found, advice = "There is no table of position biases.", "Without it every head attends by content alone."
        if 0 in _lost_layers(subject):
            found = "The table of position biases went with layer 0."
        yield Problem(TABLE, found, advice + " Copy the tensor from the original checkpoint.")


@check("error")
def position_bias_misplaced(subject: Subject) -> Iterator[Problem]:
    """No other layer than layer 0 has a table of position biases: it would override the shared one."""
    for name in subject.checkpoint.account.unexpected:
        if re.search(r"relative_attention_bias|rel_attn_embed", name):
            yield Problem(
                name,
                "WavLM has one table of position biases, in layer 0, for all layers; this one is elsewhere, or not "
                "asked for by the config.",
                "Move it to layer 0 if none is there; else remove it. If the config switches it off, correct that.",
            )


@check("error")
def gate_missing(subject: Subject) -> Iterator[Problem]:
    """Every layer has its gate: grep_linear.weight, grep_linear.bias and grep_a."""
    account = subject.checkpoint.account
    lost = [name for name in account.missing if ".grep_" in name]
    if lost and subject.checkpoint.config is not None:
        lost = [name for name in lost if name not in renamings(subject)]
    gap = _lost_layers(subject) if subject.checkpoint.config is not None else set()
    for name in lost:
        if not ((found := LAYER.fullmatch(name)) and int(found[1]) in gap):
            yield Problem(name, "This part of the gate is missing.", DAMAGED)


@check("error")
def not_a_wavlm(subject: Subject) -> Iterator[Problem]:
    """There are position biases and gates at all: HuBERT and wav2vec 2.0 have the same names without them."""
    names: Mapping[str, object] = subject.checkpoint.tensors
    if not any("grep_" in name or "relative_attention_bias" in name for name in names):
        yield Problem(
            subject.checkpoint.name,
            "There is neither a position bias nor a gate in any layer: the weights are those of a HuBERT or a wav2vec "
            "2.0, or both were lost in a conversion.",
            "Load it with the code of that model.",
        )


CHECKS: tuple[Check, ...] = (
    readable,
    missing_tensors,
    renamed_tensors,
    unexpected_tensors,
    wrong_shapes,
    transposed_tensors,
    layer_gap,
    position_bias_missing,
    position_bias_misplaced,
    gate_missing,
    not_a_wavlm,
)
