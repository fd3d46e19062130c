"""Chapter: queries and keys."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..figures.rows import content_row
from ..figures.style import Palette
from ..tracing import Trace
from ..views.view import Choice, Exhibit, choose_frame, choose_head, choose_layer
from ..wording import signed
from .chapter import Scene, Verdict
from .habits import find_head

FAR_SECONDS = 1.0
NUM_CANDIDATES = 64  # frames among which the chapter looks for one to begin with


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head and frame."""
    return choose_layer(trace), choose_head(trace), choose_frame(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head after similar sounds, and there at a frame near the middle whose best key is near."""
    layer, head = find_head(trace, "similar sounds")
    step = -(-trace.num_frames // NUM_CANDIDATES)
    content = trace.attention_terms(layer, head, slice(0, None, step)).content  # [candidates, keys]
    frames = torch.arange(0, trace.num_frames, step)
    middle = (frames - trace.num_frames // 2).abs()
    is_far = (content.argmax(dim=1) - frames).abs() * trace.model.config.frame_seconds > FAR_SECONDS
    return {"layer": layer, "head": head, "frame": int(frames[(middle + is_far * trace.num_frames).argmin()])}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Iterator[Exhibit]:
    """Yield what the frame's query finds in every key."""
    content = _content(trace, layer, head, frame)
    yield Exhibit(
        "content_row",
        content_row(trace, content, frame, f"What frame {frame} finds · layer {layer} · head {head}", palette),
        f"The best key of frame {frame} gets {signed(float(content.max()))}, a typical one "
        f"{signed(float(content.median()))}. The softmax turns differences into ratios: a key that has 1 more gets "
        "e = 2.7 times the weight.",
        lambda: {"content": content.numpy(), "frame_times": trace.frame_times.numpy()},
    )


def judge(trace: Trace, layer: int, head: int, frame: int) -> Verdict:
    """Done where the best key is more than a second away."""
    best = int(_content(trace, layer, head, frame).argmax())
    if trace.frame_times[-1] - trace.frame_times[0] <= FAR_SECONDS:
        return Verdict(False, "In this clip no key is a second away. Choose a longer one to try it.")
    away = (best - frame) * trace.model.config.frame_seconds
    side = "ahead" if away > 0 else "back"
    where = f"{abs(away):.2f} s {side}, at {float(trace.frame_times[best]):.2f} s" if away else "the frame's own"
    return Verdict(abs(away) > FAR_SECONDS, f"The best key of frame {frame} is {where}.")


def _content(trace: Trace, layer: int, head: int, frame: int) -> Float[Tensor, " keys"]:
    return trace.attention_terms(layer, head, slice(frame, frame + 1)).content[0]


SCENE = Scene("attention", choices, begin, exhibits, judge)
