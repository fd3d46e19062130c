"""What if: parts of a model switched off, held fixed or exchanged while a clip passes, without touching the model.

Each intervention is a value that says where it acts and by which equation. `trace(model, audio, interventions=[...])`
and `Trace.what_if([...])` take any number of them. They act where the pass meets them, from the sound upwards; those
that meet at one place act in the order in which they are given.
"""

from .attention import (
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
from .plan import Intervention, Plan
from .states import FramesHidden, LayersSkipped, StatesPatched

__all__ = [
    "AttentionIntervention",
    "AttentionTo",
    "AttentionUniform",
    "AttentionWithin",
    "ContentOff",
    "FramesHidden",
    "GateFixed",
    "HeadsOff",
    "Intervention",
    "LayersSkipped",
    "Plan",
    "PositionFrom",
    "PositionOff",
    "StatesPatched",
]
