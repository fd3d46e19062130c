"""Chapter: heads differ."""

from collections.abc import Iterator
from typing import Any

from ..figures.attention import attention_heads, attention_map
from ..figures.style import Palette
from ..tracing import Trace
from ..views.view import Choice, Exhibit, choose_head, choose_layer
from .chapter import Scene, Verdict
from .habits import find_head, sides

MOST = 0.7  # of a head's attention


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer and head."""
    return choose_layer(trace), choose_head(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head that looks ahead."""
    return find_head(trace, "looks ahead")._asdict()


def exhibits(trace: Trace, palette: Palette, layer: int, head: int) -> Iterator[Exhibit]:
    """Yield one head's map, and those of all heads of the layer."""
    behind, ahead = (float(share[layer, head]) for share in sides(trace))
    yield Exhibit(
        "attention_map",
        attention_map(trace, layer, head, palette=palette),
        f"Head {head} of layer {layer} gives {behind:.0%} of its attention to frames before its own, {ahead:.0%} to "
        "frames after it. Left of the diagonal is the past.",
        lambda: {"weights": trace.attention(layer, head)[0].numpy(), "frame_times": trace.frame_times.numpy()},
        share=0.56,
    )
    yield Exhibit(
        "attention_heads",
        attention_heads(trace, layer, head, palette=palette),
        f"All {trace.num_heads} heads of layer {layer}, and their mean.",
        lambda: {"behind": sides(trace).behind.numpy(), "ahead": sides(trace).ahead.numpy()},
        share=0.44,
    )


def judge(trace: Trace, layer: int, head: int) -> Verdict:
    """Done at a head that gives most of its attention to the past, or more than any other of the model."""
    behind = sides(trace).behind
    share, most = float(behind[layer, head]), float(behind.max())
    words = f"This head gives {share:.0%} of its attention to what came before."
    if share >= MOST:
        return Verdict(True, f"You found a head that looks back. {words}")
    if share == most:
        return Verdict(behind.numel() > 1, f"{words} No head of this model gives more.")
    if most < MOST:
        words += f" No head of this model gives more than {most:.0%}: find that one."
    return Verdict(False, words)


SCENE = Scene("attention", choices, begin, exhibits, judge)
