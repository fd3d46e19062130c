"""Chapter: why position."""

from collections.abc import Iterator
from typing import Any

from ..figures.gate import gate_attention, gate_bias
from ..figures.style import Palette
from ..gates import GatedRows, gated_rows
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Note, choose_frame, choose_head, choose_layer
from .chapter import Scene, Verdict
from .habits import find_head

WITHOUT = (0.0,)  # the gate that takes position away
MUCH = 0.5  # of a frame's attention


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head and frame."""
    return choose_layer(trace), choose_head(trace), choose_frame(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head that content decides, in the middle of the clip."""
    return {**find_head(trace, "similar sounds")._asdict(), "frame": trace.num_frames // 2}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Iterator[Exhibit | Note]:
    """Yield where the frame looks with position and without, and what position adds."""
    if not has_positions(trace):
        yield Note(LACKS_POSITIONS)
        return
    rows = gated_rows(trace, layer, head, frame, WITHOUT)
    arrays = {name: term.numpy() for name, term in rows._asdict().items()} | {"frame_times": trace.frame_times.numpy()}
    own, without = (f"{float(distance) / 1000:.2f} s" for distance in rows.distance_ms)
    yield Exhibit(
        "with_and_without_position",
        gate_attention(trace, rows, frame, palette),
        f"The bold line is the model's own. The line called 0 is without position. On average the frame looks {own} "
        f"away; without position it would look {without} away.",
        lambda: arrays,
        share=0.5,
    )
    yield Exhibit(
        "what_position_adds",
        gate_bias(trace, rows, frame, palette),
        "What position adds to q·k for each key. Where the bold line is flat, near and far are alike to this head.",
        lambda: arrays,
        share=0.5,
    )


def judge(trace: Trace, layer: int, head: int, frame: int) -> Verdict:
    """Done where more than half of the frame's attention would go elsewhere without position."""
    if not has_positions(trace):
        return Verdict(False, "This model has no relative positions. Choose *nano* as the model to try it.")
    moved = moved_share(gated_rows(trace, layer, head, frame, WITHOUT))
    return Verdict(moved > MUCH, f"Without position, {moved:.0%} of this frame's attention would go elsewhere.")


LACKS_POSITIONS = (
    "This checkpoint has **no relative positions**: nothing is added for distance, so there is nothing to take away. "
    "Choose *nano* as the model to see what position does."
)


def has_positions(trace: Trace) -> bool:
    """Whether the model adds a bias for distance."""
    return trace.model.config.relative_position_embedding


def moved_share(rows: GatedRows) -> float:
    """How much of the attention lies elsewhere under the second gate than under the first, 0 to 1."""
    return float((rows.weights[1] - rows.weights[0]).abs().sum() / 2)


SCENE = Scene("buckets", choices, begin, exhibits, judge)
