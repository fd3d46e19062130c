"""What if: one part of the model changed while the clip passes, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from .. import effects, interventions
from ..excerpt import can_hear
from ..figures import effects as pictures
from ..figures.style import Palette
from ..gates import has_gate
from ..keeping import Keeper
from ..measures import MEASURE_NAMES
from ..noise import relative_changes
from ..tracing import Trace
from ..wording import name_share
from .view import (
    Choice,
    Exhibit,
    Fraction,
    Item,
    Lesson,
    Note,
    Offer,
    Option,
    View,
    WholeNumber,
    choose_frame,
    choose_head,
    choose_layer,
)

HEAD_OFF, HEAD_MEAN, LAYER_SKIPPED, SOUND_HIDDEN = "head off", "head at its mean", "layer skipped", "sound hidden"
GATE, POSITION_OFF, POSITION_FROM = "gate fixed", "position off", "position of another head"
CONTENT_OFF, UNIFORM = "content off", "all frames alike"
WITHIN, TO = "near frames only", "one frame only"
IN_ATTENTION = (HEAD_OFF, HEAD_MEAN, CONTENT_OFF, POSITION_OFF, POSITION_FROM, GATE, UNIFORM, WITHIN, TO)
ONE_HEAD, ONE_LAYER, EVERYWHERE = "head", "layer", "all"
MOST_FRAMES = 100  # 2 s
MEASURES = {name.replace("_ms", " (ms)").replace("_", " "): name for name in MEASURE_NAMES}
DEFAULT_MEASURE = "entropy"

LESSON = Lesson(
    what=(
        "One understands a part by taking it away. Here the sound passes through the model once more with **one thing "
        "changed**, and stands beside the pass without: which attention moves, which layers notice, and how far the "
        "output goes from where it was. The model itself stays as it is; layers below the change need not run again."
    ),
    equation=(
        r"\begin{split} o_i &= \textstyle\sum_j A_{ij}\, v_j \\ A_{ij} &= \operatorname{softmax}_j\,"
        r"(C_{ij} + g_i\, B_{j-i}) \\ \text{change} &= \lVert x' - x \rVert \,/\, \lVert x \rVert \end{split}"
    ),
    symbols=(
        (r"o_i", "what a head hands on for frame i; *head off* makes it 0, *at its mean* its mean over the clip"),
        (r"C_{ij}", "content, q·k/√d; *content off* makes it 0"),
        (r"B_{j-i}", "the head's position bias; *position off* makes it 0"),
        (r"g_i", "the gate of the bias; *gate fixed* gives every frame the same"),
        (r"A_{ij}", "the weights: 1/T for *all frames alike*, 0 beyond *near frames only*"),
        (r"x,\ x'", "a hidden state, or the output, without and with the change"),
    ),
    try_this=(
        "With *nano* and the sample sentence, choose *content off* for *all*, then *position off*: without position "
        "the output moves further (60% against 42%). Then fix the gate at 1 and at 2: at 2 the output moves by only "
        "10%, so most gates are near 2 anyway. At the end, let every head be switched off in its turn: two heads of "
        "the last layer stand out."
    ),
)


class Effect(NamedTuple):
    """A pass under an intervention, and what it moved in every head."""

    after: Trace
    moved: Float[Tensor, "layers heads"]


_moved: Keeper[Tensor] = Keeper()  # another map of the same change is only another picture


def _effect(trace: Trace, intervention: interventions.Intervention) -> Effect:
    after = effects.changed(trace, intervention)
    return Effect(after, _moved.recall(trace, lambda: effects.moved_by_head(trace, after), subject=intervention))


def choices(trace: Trace) -> tuple[Choice, ...]:
    """What is changed, where, with which number, and the map to look at."""
    kinds = [kind for kind in IN_ATTENTION if _has(trace, kind)] + [LAYER_SKIPPED]
    kinds += [SOUND_HIDDEN] * can_hear(trace.model)
    in_attention, last_layer, last_head = {"what_if": IN_ATTENTION}, trace.num_layers - 1, trace.num_heads - 1
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
        WholeNumber("shown_layer", "Map of layer", "Whose attention is shown before and after.",
                    0, last_layer, min(trace.num_layers // 2 + 1, last_layer)),
        WholeNumber("shown_head", "Map of head", "Whose attention is shown before and after.", 0, last_head, 0),
        *([_choose_measure()] if effects.known_importance(trace) is not None else ()),
    )  # fmt: skip


def _choose_measure() -> Option:
    return Option("measure", "Measure", "Stands beside the importance of the heads.", tuple(MEASURES), DEFAULT_MEASURE)


def _has(trace: Trace, kind: str) -> bool:
    has_positions = trace.model.config.relative_position_embedding
    return {GATE: has_gate(trace), POSITION_OFF: has_positions, POSITION_FROM: has_positions}.get(kind, True)


def _lacking(trace: Trace) -> list[str]:
    reasons = {
        "this model has no gate that could be fixed": not has_gate(trace),
        "it has no relative positions to switch off": not trace.model.config.relative_position_embedding,
        "this trace came from a file, without what hears, so no sound can be hidden: open its checkpoint for that": (
            not can_hear(trace.model)
        ),
    }
    return [reason for reason, holds in reasons.items() if holds]


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


def exhibits(
    trace: Trace, palette: Palette, shown_layer: int, shown_head: int, measure: str = DEFAULT_MEASURE, **place: Any
) -> Iterator[Item]:
    """Yield the map before and after, the change by layer and time, all heads, and which of them matter most."""
    if lacking := _lacking(trace):
        yield Note(f"Some changes cannot be chosen here: {'; '.join(lacking)}.")
    effect = _effect(trace, choose_intervention(**place))
    yield _over_time(trace, effect.after, palette)
    yield _attention(trace, effect.after, palette, shown_layer, shown_head)
    yield from _by_layer_and_head(trace, effect, palette, shown_layer, shown_head)
    yield from _importance(trace, palette, measure, place["layer"], place["head"])


def _over_time(trace: Trace, after: Trace, palette: Palette) -> Exhibit:
    changes = effects.state_changes(trace, after)
    return Exhibit(
        "what_if_over_time",
        pictures.effect_over_time(trace, after, palette),
        describe_change(trace, after),
        lambda: {
            "relative_change": changes.relative.numpy(),
            "cosine": changes.cosine.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
    )


def describe_change(trace: Trace, after: Trace) -> str:
    """Say in words how far the output moves, where most, and from which layer on anything changes."""
    relative, moved = effects.state_changes(trace, after).relative, effects.output_change(trace, after)
    if not relative.any():
        return "Nothing moves: for this model and sound the change makes no difference."
    first = int(relative.any(dim=1).nonzero()[0])
    start = "what enters layer 0 is another already" if first == 0 else f"layer {first - 1} is the first to notice"
    frame = int(relative[-1].argmax())
    seconds, most = float(trace.frame_times[frame]), float(relative[-1, frame])
    return (
        f"The output moves by **{name_share(moved)}** of its length, most at {seconds:.2f} s (frame {frame}, "
        f"{name_share(most)}); {start}."
    )


def _attention(trace: Trace, after: Trace, palette: Palette, layer: int, head: int) -> Exhibit:
    moved = effects.moved_attention(trace, after, layer, head)[0]
    share = float(moved.mean())
    return Exhibit(
        "what_if_attention",
        pictures.effect_on_attention(trace, after, layer, head, palette),
        f"On average {name_share(share)} of a frame's attention goes elsewhere in layer {layer}, head {head}."
        if share
        else f"The map of layer {layer}, head {head} is the same: the change acts behind it. Look at a higher layer.",
        lambda: {
            "before": trace.attention_overview(layer, head)[0].numpy(),
            "after": after.attention_overview(layer, head)[0].numpy(),
            "share_that_moves": moved.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
    )


def _by_layer_and_head(trace: Trace, effect: Effect, palette: Palette, layer: int, head: int) -> Iterator[Exhibit]:
    after, moved = effect
    states, output = relative_changes(trace, after)
    cosine = effects.state_changes(trace, after).cosine.mean(dim=1)
    yield Exhibit(
        "what_if_by_layer",
        pictures.effect_by_layer(trace, after, palette),
        f"The last layer's state moves by {name_share(float(states[-1]))}, the output by {name_share(output)}. Its "
        f"frames keep their direction with a cosine of {float(cosine[-1]):.3f} on average: 1 is the same, 0 another "
        "altogether.",
        lambda: {
            "relative_change_of_states": states.numpy(),
            "relative_change_of_output": np.array(output),
            "mean_cosine": cosine.numpy(),
        },
        share=0.5,
    )
    most, most_head = divmod(int(moved.argmax()), trace.num_heads)
    yield Exhibit(
        "what_if_by_head",
        pictures.effect_on_heads(moved, layer, head, palette),
        f"Head {most_head} of layer {most} moves most: {name_share(float(moved.max()))} of its attention. The frame "
        "marks the map above."
        if moved.any()
        else "No head's attention moves. The frame marks the map above.",
        lambda: {"share_that_moves": moved.numpy()},
        share=0.5,
    )


def _importance(trace: Trace, palette: Palette, measure: str, layer: int, head: int) -> Iterator[Exhibit | Offer]:
    importance, count = effects.known_importance(trace), trace.num_layers * trace.num_heads
    if importance is None:
        yield Offer(
            "sweep",
            "Switch off every head once",
            f"**Which heads matter for this sound?** Each of the {count} heads is switched off in its turn, and the "
            "layers from there on run again.",
            lambda report: effects.head_importance(trace, report),
        )
        return
    numbers = trace.measures()[MEASURES[measure]]
    yield Exhibit(
        "what_if_importance",
        pictures.importance_of_heads(importance, numbers, measure, layer, head, palette),
        describe_importance(importance, numbers, measure),
        lambda: {"importance": importance.numpy(), MEASURES[measure]: numbers.numpy()},
    )


def describe_importance(importance: Tensor, numbers: Tensor, measure: str) -> str:
    """Say in words which head matters most and least, and whether the measure could have told."""
    (most, most_head), (least, least_head) = (
        divmod(int(place), importance.shape[1]) for place in (importance.argmax(), importance.argmin())
    )
    correlation = effects.rank_correlation(importance, numbers)
    told = (
        f" Ranked by {measure}, the heads come in an order that agrees by {correlation:+.2f} (1 the same, 0 none, −1 "
        "the opposite).".replace("-", "−")
        if correlation is not None
        else ""
    )
    return (
        f"Without head {most_head} of layer {most} the output moves by {name_share(float(importance.max()))}, without "
        f"head {least_head} of layer {least} by {name_share(float(importance.min()))}.{told}"
    )


VIEW = View("what-if", "What if", "alt_route", LESSON, exhibits, choices, section="What if", order=120)
