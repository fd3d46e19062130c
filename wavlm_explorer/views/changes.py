"""What can be changed on the page of interventions, and where: its kinds, its choices, and what they mean."""

from dataclasses import replace
from typing import Any

from .. import interventions
from ..excerpt import can_hear
from ..gates import has_gate
from ..tracing import Trace
from .view import Choice, Fraction, Option, WholeNumber, choose_frame, choose_head, choose_layer

HEAD_OFF, HEAD_MEAN, LAYER_SKIPPED, SOUND_HIDDEN = "head off", "head at its mean", "layer skipped", "sound hidden"
GATE, POSITION_OFF, POSITION_FROM = "gate fixed", "position off", "position of another head"
CONTENT_OFF, UNIFORM = "content off", "all frames alike"
WITHIN, TO = "near frames only", "one frame only"
IN_ATTENTION = (HEAD_OFF, HEAD_MEAN, CONTENT_OFF, POSITION_OFF, POSITION_FROM, GATE, UNIFORM, WITHIN, TO)
ONE_HEAD, ONE_LAYER, EVERYWHERE = "head", "layer", "all"
MOST_FRAMES = 100  # 2 s


def choose_change(trace: Trace) -> tuple[Choice, ...]:
    """What is changed, where, and with which number."""
    kinds = [kind for kind in IN_ATTENTION if _has(trace, kind)] + [LAYER_SKIPPED]
    kinds += [SOUND_HIDDEN] * can_hear(trace.model)
    in_attention, last_head = {"what_if": IN_ATTENTION}, trace.num_heads - 1
    layered = {"what_if": (*IN_ATTENTION, LAYER_SKIPPED), "where": (ONE_HEAD, ONE_LAYER)}
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
        WholeNumber("span", "Frames", "20 ms each: how far a frame may look to either side, or how many are hidden.",
                    1, MOST_FRAMES, 15, when={"what_if": (WITHIN, SOUND_HIDDEN)}),
        replace(choose_frame(trace), when={"what_if": (TO, SOUND_HIDDEN)}),
    )  # fmt: skip


def _has(trace: Trace, kind: str) -> bool:
    has_positions = trace.model.config.relative_position_embedding
    return {GATE: has_gate(trace), POSITION_OFF: has_positions, POSITION_FROM: has_positions}.get(kind, True)


def what_is_lacking(trace: Trace) -> list[str]:
    """Why some kinds of change cannot be chosen for this trace."""
    reasons = {
        "this model has no gate that could be fixed": not has_gate(trace),
        "it has no relative positions to switch off": not trace.model.config.relative_position_embedding,
        "this trace came from a file, without what hears, so no sound can be hidden: open its checkpoint for that": (
            not can_hear(trace.model)
        ),
    }
    return [reason for reason, holds in reasons.items() if holds]


def chosen_interventions(trace: Trace, **choices: Any) -> list[interventions.Intervention]:
    """Make what is chosen on the page interventions that this trace can be put under, in their order."""
    place = {name: value for name, value in choices.items() if name in _PLACE}
    return [choose_intervention(**place)]


_PLACE = ("what_if", "where", "layer", "head", "fixed_gate", "other_head", "span", "frame")


def choose_intervention(
    what_if: str,
    where: str,
    layer: int,
    head: int,
    fixed_gate: float,
    other_head: int,
    span: int,
    frame: int,
) -> interventions.Intervention:
    """Make what is chosen on the page an intervention."""
    if what_if == LAYER_SKIPPED:
        return interventions.LayersSkipped(layer)
    if what_if == SOUND_HIDDEN:
        return interventions.FramesHidden(slice(max(0, frame - span // 2), max(0, frame - span // 2) + span))
    layers, heads = None if where == EVERYWHERE else layer, head if where == ONE_HEAD else None
    intervention = {
        HEAD_OFF: interventions.HeadsOff(),
        HEAD_MEAN: interventions.HeadsOff(mean=True),
        CONTENT_OFF: interventions.ContentOff(),
        POSITION_OFF: interventions.PositionOff(),
        POSITION_FROM: interventions.PositionFrom(other_head),
        GATE: interventions.GateFixed(fixed_gate),
        UNIFORM: interventions.AttentionUniform(),
        WITHIN: interventions.AttentionWithin(span),
        TO: interventions.AttentionTo(frame),
    }[what_if]
    return replace(intervention, layers=layers, heads=heads)
