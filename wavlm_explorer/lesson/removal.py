"""Chapter: taking it away."""

from collections.abc import Iterator
from typing import Any

from ..effects import changed, moved_by_head, output_change, state_changes
from ..figures.effects import effect_by_layer, effect_on_heads, effect_over_time
from ..figures.style import Palette
from ..interventions import HeadsOff
from ..tracing import Trace
from ..views.view import Choice, Exhibit, choose_head, choose_layer
from ..views.what_if import describe_change
from ..wording import name_share
from .chapter import Scene, Verdict

MUCH = 0.1  # of the output's length


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer and head."""
    return choose_layer(trace), choose_head(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At the first head of the lowest layer."""
    return {"layer": 0, "head": 0}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int) -> Iterator[Exhibit]:
    """Yield how far every frame moves without the head, how far the clip moves in each layer, and whose maps notice."""
    after = _without(trace, layer, head)
    relative, cosine = state_changes(trace, after)
    yield Exhibit(
        "removal_over_time",
        effect_over_time(trace, after, palette),
        describe_change(trace, after),
        lambda: {"relative_change": relative.numpy(), "frame_times": trace.frame_times.numpy()},
    )
    yield Exhibit(
        "removal_by_layer",
        effect_by_layer(trace, after, palette),
        "Above, how far the clip moves; below, how far its frames turn: a cosine of 1 is no turn.",
        lambda: {"mean_cosine": cosine.mean(dim=1).numpy()},
        share=0.5,
    )
    moved, is_last = moved_by_head(trace, after), layer == trace.num_layers - 1
    notice = "no map changes: no layer is above it" if is_last else f"only maps above layer {layer} can change"
    yield Exhibit(
        "removal_by_head",
        effect_on_heads(moved, layer, head, palette),
        f"The frame marks the head that is off. Without it, {notice}.",
        lambda: {"share_that_moves": moved.numpy()},
        share=0.5,
    )


def judge(trace: Trace, layer: int, head: int) -> Verdict:
    """Done at a head without which the output moves by more than a tenth of its length."""
    moved = output_change(trace, _without(trace, layer, head))
    return Verdict(moved > MUCH, f"Without head {head} of layer {layer}, the output moves by {name_share(moved)}.")


def _without(trace: Trace, layer: int, head: int) -> Trace:
    return changed(trace, [HeadsOff(layers=layer, heads=head)])


SCENE = Scene("what-if", choices, begin, exhibits, judge)
