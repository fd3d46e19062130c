"""What interventions do to one head, for the page to say."""

from typing import Any

from ...interventions import (
    AttentionIntervention,
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    GateFixed,
    HeadsOff,
    PositionFrom,
    PositionOff,
)
from ...tracing import Trace

GATHERED, NOTHING, MEAN = "gathered", "nothing", "mean"  # what a head hands on


def acting_facts(trace: Trace, layer: int, head: int) -> dict[str, Any]:
    """Say how many interventions the clip passed under, which of them meet this head, and what it hands on for them.

    interventions: their number; skipped: whether the layer lets its input through; acting: a phrase for each that meets
    the head; handed_on: one of GATHERED, NOTHING, MEAN.
    """
    acting = trace.plan.acting(layer, head)
    off = [intervention for intervention in acting if isinstance(intervention, HeadsOff)]
    return {
        "interventions": len(trace.interventions),
        "skipped": trace.plan.skips(layer),
        "acting": [_phrase(trace, intervention) for intervention in acting],
        "handed_on": GATHERED if not off else MEAN if all(intervention.mean for intervention in off) else NOTHING,
    }


def _phrase(trace: Trace, intervention: AttentionIntervention) -> str:
    match intervention:
        case HeadsOff(mean=True):
            return "it hands on the same for every frame, its mean over the clip"
        case HeadsOff():
            return "it hands on nothing"
        case GateFixed(value):
            return f"its gate is fixed at {value:g}".replace("-", "−")
        case PositionOff():
            return "its position bias is off"
        case PositionFrom(source):
            return f"its position bias is that of head {source % trace.num_heads}"
        case ContentOff():
            return "its content is off"
        case AttentionUniform():
            return "all keys share alike"
        case AttentionWithin(reach):
            return f"no query looks further than {reach} frames"
        case AttentionTo(frame):
            return f"every query looks at frame {frame % trace.num_frames} only"
    return f"{type(intervention).__name__} changes it"
