"""What can be changed on the page of interventions: its kinds, where they act, and all that acts together."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from .. import interventions
from ..excerpt import can_hear
from ..gates import has_gate
from ..interventions import Intervention
from ..notation import format_intervention, parse_intervention
from ..sample_traces import trace_sample
from ..samples import sample_names
from ..tracing import Trace
from .view import Choice, Collection, Fraction, Option, WholeNumber, choose_frame, choose_head, choose_layer

NOTHING = "nothing more"
HEAD_OFF, HEAD_MEAN, LAYER_SKIPPED, SOUND_HIDDEN = "head off", "head at its mean", "layer skipped", "sound hidden"
GATE, POSITION_OFF, POSITION_FROM = "gate fixed", "position off", "position of another head"
CONTENT_OFF, UNIFORM = "content off", "all frames alike"
WITHIN, TO = "near frames only", "one frame only"
PATCHED = "states of another clip"
IN_ATTENTION = (HEAD_OFF, HEAD_MEAN, CONTENT_OFF, POSITION_OFF, POSITION_FROM, GATE, UNIFORM, WITHIN, TO)
ONE_HEAD, ONE_LAYER, EVERYWHERE = "head", "layer", "all"
MOST_FRAMES = 100  # 2 s


def choose_change(trace: Trace) -> tuple[Choice, ...]:
    """What is changed, where, and with which number; and all that is changed beside it."""
    can_be_heard = can_hear(trace.model)
    kinds = [NOTHING, *(kind for kind in IN_ATTENTION if _has(trace, kind)), LAYER_SKIPPED]
    kinds += [SOUND_HIDDEN, PATCHED] * can_be_heard
    in_attention, last_head = {"what_if": IN_ATTENTION}, trace.num_heads - 1
    layered = {"what_if": (*IN_ATTENTION, LAYER_SKIPPED), "where": (ONE_HEAD, ONE_LAYER)}
    clips = tuple(sample_names())
    another = next(name for name in clips if name != trace.audio.name)
    return (
        Option("what_if", "What if", "What is changed while the sound passes.", tuple(kinds), HEAD_OFF),
        Option(
            "where", "Where", "In one head, in all heads of a layer, or in all layers.",
            (ONE_HEAD, ONE_LAYER, EVERYWHERE), ONE_HEAD, when=in_attention,
        ),
        replace(choose_layer(trace), when=layered),
        replace(choose_head(trace), when=in_attention | {"where": (ONE_HEAD,)}),
        Fraction("fixed_gate", "Gate", "What every frame multiplies the bias by.", 0.0, 3.0, 1.0, 0.1,
                 when={"what_if": (GATE,)}),
        WholeNumber("other_head", "Its bias", "The head whose position bias is taken.", 0, last_head, last_head,
                    when={"what_if": (POSITION_FROM,)}),
        Option("other_clip", "Other clip", "The sample whose states are taken, frame for frame.", clips, another,
               when={"what_if": (PATCHED,)}),
        WholeNumber("patched_state", "State", "0 enters layer 0; s leaves layer s − 1.", 0, trace.num_layers,
                    (trace.num_layers + 1) // 2, when={"what_if": (PATCHED,)}),
        replace(choose_frame(trace), when={"what_if": (TO, SOUND_HIDDEN, PATCHED)}),
        WholeNumber("span", "Frames", "20 ms each: how far a frame may look to either side, or how many around the one "
                    "chosen are hidden or exchanged.", 1, MOST_FRAMES, 15,
                    when={"what_if": (WITHIN, SOUND_HIDDEN, PATCHED)}),
        Collection("changes", "Changes that act together with the one above", "The cross takes one back.",
                   add="Add this change", describe=partial(_write_described, trace), then={"what_if": NOTHING},
                   example="gate 1.5 in layer 2"),
    )  # fmt: skip


def _has(trace: Trace, kind: str) -> bool:
    has_positions = trace.model.config.relative_position_embedding
    return {GATE: has_gate(trace), POSITION_OFF: has_positions, POSITION_FROM: has_positions}.get(kind, True)


def what_is_lacking(trace: Trace) -> list[str]:
    """Why some kinds of change cannot be chosen for this trace."""
    reasons = {
        "this model has no gate that could be fixed": not has_gate(trace),
        "it has no relative positions to switch off": not trace.model.config.relative_position_embedding,
        "this trace came from a file, without what hears, so no sound can be hidden and no other clip taken: open its "
        "checkpoint for that": not can_hear(trace.model),
    }
    return [reason for reason, holds in reasons.items() if holds]


class Changes(NamedTuple):
    """All that is to act together, and what cannot, with the reason."""

    acting: list[Intervention]
    left_out: list[tuple[str, str]]  # (what was asked for, why not)


def chosen_changes(trace: Trace, choices: Mapping[str, Any]) -> Changes:
    """Make what is chosen on the page interventions: those that were collected, in their order, then the one described.

    What this trace has no place for is left out.
    """
    asked = [(text, partial(parse_intervention, text)) for text in choices["changes"]]
    if choices["what_if"] != NOTHING:
        asked.append((choices["what_if"], partial(describe_intervention, choices)))
    changes = Changes([], [])
    for what, make in asked:
        try:
            changes.acting.append(make(trace))
        except (ValueError, IndexError) as error:
            changes.left_out.append((what, str(error)))
    return changes


def describe_intervention(choices: Mapping[str, Any], trace: Trace) -> Intervention:
    """Make the one change that is described on the page an intervention.

    Raises: ValueError for frames that the other clip does not have.
    """
    kind, where = choices["what_if"], choices["where"]
    if kind == LAYER_SKIPPED:
        return interventions.LayersSkipped(choices["layer"])
    if kind == SOUND_HIDDEN:
        return interventions.FramesHidden(_span(choices, trace.num_frames))
    if kind == PATCHED:
        return _describe_patch(choices, trace)
    intervention = {
        HEAD_OFF: interventions.HeadsOff(),
        HEAD_MEAN: interventions.HeadsOff(mean=True),
        CONTENT_OFF: interventions.ContentOff(),
        POSITION_OFF: interventions.PositionOff(),
        POSITION_FROM: interventions.PositionFrom(choices["other_head"]),
        GATE: interventions.GateFixed(choices["fixed_gate"]),
        UNIFORM: interventions.AttentionUniform(),
        WITHIN: interventions.AttentionWithin(choices["span"]),
        TO: interventions.AttentionTo(choices["frame"]),
    }[kind]
    layers, heads = None if where == EVERYWHERE else choices["layer"], choices["head"] if where == ONE_HEAD else None
    return replace(intervention, layers=layers, heads=heads)


def _describe_patch(choices: Mapping[str, Any], trace: Trace) -> interventions.StatesPatched:
    other = trace_sample(trace, choices["other_clip"])
    frames = _span(choices, min(trace.num_frames, other.num_frames))
    if not frames:
        raise ValueError(
            f"{choices['other_clip']} ends with frame {other.num_frames - 1}: choose an earlier one, or another clip"
        )
    return interventions.StatesPatched(choices["patched_state"], other, frames)


def _span(choices: Mapping[str, Any], num_frames: int) -> range:
    """The frames around the one that is chosen, of those that are there."""
    first = max(0, choices["frame"] - choices["span"] // 2)
    return range(first, min(first + choices["span"], num_frames))


def _write_described(trace: Trace, choices: Mapping[str, Any]) -> str | None:
    """Write the change that is described as it is collected; None where there is none."""
    if choices["what_if"] == NOTHING:
        return None
    try:
        return format_intervention(describe_intervention(choices, trace))
    except ValueError:
        return None
