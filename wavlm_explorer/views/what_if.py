"""What if: one part of the model changed while the clip passes, and what becomes of it."""

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from .. import effects
from ..figures import effects as pictures
from ..figures.style import Palette
from ..interventions import Intervention
from ..keeping import Keeper
from ..measures import MEASURE_NAMES
from ..noise import relative_changes
from ..notation import format_intervention
from ..tracing import Trace
from ..wording import name_share
from .changes import Changes, choose_change, chosen_changes, what_is_lacking
from .view import Choice, Exhibit, Item, Lesson, Note, Offer, Option, View, WholeNumber

MEASURES = {name.replace("_ms", " (ms)").replace("_", " "): name for name in MEASURE_NAMES}
DEFAULT_MEASURE = "entropy"

LESSON = Lesson(
    what=(
        "One understands a part by taking it away. Here the sound passes through the model once more with **something "
        "changed**, one thing or several at once, and stands beside the pass without: which attention moves, which "
        "layers notice, and how far the output goes from where it was. The model itself stays as it is; layers below "
        "the lowest change need not run again."
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
        (r"A_{ij}", "the weights: 1 / frames for *all frames alike*, 0 beyond *near frames only*"),
        (
            r"x,\ x'",
            "a hidden state, or the output, without and with the changes; *states of another clip* puts its x in",
        ),
    ),
    try_this=(
        "With *nano* and the sample sentence, choose *content off* for *all*, then *position off*: without position "
        "the output moves further (60% against 42%). Now press *Add this change* and choose *content off* again: with "
        "both gone it moves by 64%, far less than their sum. Take that back by its cross, and fix the gate at 1 and at "
        "2: at 2 the output moves by only 10%, so most gates are near 2 anyway. At the end press *Switch off every "
        "head once* below: two heads of the last layer stand out."
    ),
)


class Effect(NamedTuple):
    """A pass under an intervention, and what it moved in every head."""

    after: Trace
    moved: Float[Tensor, "layers heads"]


_moved: Keeper[Tensor] = Keeper()  # another map of the same change is only another picture


def _effect(trace: Trace, acting: Sequence[Intervention]) -> Effect:
    after = effects.changed(trace, acting)
    return Effect(after, _moved.recall(trace, lambda: effects.moved_by_head(trace, after), subject=tuple(acting)))


def choices(trace: Trace) -> tuple[Choice, ...]:
    """What is changed, and the map to look at."""
    last_layer, last_head = trace.num_layers - 1, trace.num_heads - 1
    return (
        *choose_change(trace),
        WholeNumber("shown_layer", "Map of layer", "Whose attention is shown before and after.",
                    0, last_layer, min(trace.num_layers // 2 + 1, last_layer)),
        WholeNumber("shown_head", "Map of head", "Whose attention is shown before and after.", 0, last_head, 0),
        *([_choose_measure()] if effects.known_importance(trace) is not None else ()),
    )  # fmt: skip


def _choose_measure() -> Option:
    return Option("measure", "Measure", "Stands beside the importance of the heads.", tuple(MEASURES), DEFAULT_MEASURE)


def explain_choices(trace: Trace, changes: Changes) -> Iterator[Note]:
    """Say what cannot be chosen here, and what was chosen but cannot act, and why."""
    if reasons := what_is_lacking(trace):
        yield Note(f"Some changes cannot be chosen here: {'; '.join(reasons)}.")
    if changes.left_out:
        rest = "All else acts" if changes.acting else "Nothing else is chosen"
        yield Note(f"Left out: {'; '.join(starmap(_say_why, changes.left_out))}. {rest}.")


def exhibits(
    trace: Trace, palette: Palette, shown_layer: int, shown_head: int, measure: str = DEFAULT_MEASURE, **chosen: Any
) -> Iterator[Item]:
    """Yield the map before and after, the change by layer and time, all heads, and which of them matter most."""
    changes = chosen_changes(trace, chosen)
    yield from explain_choices(trace, changes)
    effect = _effect(trace, changes.acting)
    yield _over_time(trace, effect.after, palette, changes.acting)
    yield _attention(trace, effect.after, palette, shown_layer, shown_head)
    yield from _by_layer_and_head(trace, effect, palette, shown_layer, shown_head)
    yield from _importance(trace, palette, measure, chosen["layer"], chosen["head"])


def _say_why(what: str, why: str) -> str:
    """Write what was left out, a stranger's text, as code; the reason need not repeat it."""
    return f"`{' '.join(what.replace('`', ' ').split())}` ({why.partition('; found')[0]})"


def _over_time(trace: Trace, after: Trace, palette: Palette, acting: Sequence[Intervention]) -> Exhibit:
    changes = effects.state_changes(trace, after)
    return Exhibit(
        "what_if_over_time",
        pictures.effect_over_time(trace, after, palette),
        summarize(trace, after, acting),
        lambda: {
            "relative_change": changes.relative.numpy(),
            "cosine": changes.cosine.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
    )


def summarize(trace: Trace, after: Trace, acting: Sequence[Intervention]) -> str:
    """Say in words what acts, and what comes of it."""
    if not acting:
        return "Nothing is changed, so nothing moves."
    return f"{name_changes(acting)} {describe_change(trace, after)}"


def name_changes(acting: Sequence[Intervention]) -> str:
    """Say in words what acts, in its order."""
    return f"Changed: {', '.join(f'`{format_intervention(one)}`' for one in acting)}."


def describe_change(trace: Trace, after: Trace) -> str:
    """Say in words how far the output moves, where most, and from which layer on anything changes."""
    relative, moved = effects.state_changes(trace, after).relative, effects.output_change(trace, after)
    if not relative.any():
        return "Nothing moves: for this model and sound that makes no difference."
    first = int(relative.any(dim=1).nonzero()[0])
    start = (
        "what enters layer 0 is another already"
        if first == 0
        else f"what leaves layer {first - 1} is the first to differ"
    )
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
        else f"The map of layer {layer}, head {head} is the same."
        + (" What changes lies behind it: look at a higher layer." if after.interventions else ""),
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


def offer_sweep(trace: Trace) -> Iterator[Offer]:
    """Offer to find out which heads matter, unless that is known."""
    count = trace.num_layers * trace.num_heads
    if effects.known_importance(trace) is None:
        yield Offer(
            "sweep",
            "Switch off every head once",
            f"**Which heads matter for this sound?** Each of the {count} heads is switched off in its turn, and the "
            "layers from there on run again.",
            lambda report: effects.head_importance(trace, report),
        )


def _importance(trace: Trace, palette: Palette, measure: str, layer: int, head: int) -> Iterator[Exhibit | Offer]:
    importance = effects.known_importance(trace)
    if importance is None:
        yield from offer_sweep(trace)
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
