"""Chapter: the gate."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..figures.gate import gate_attention, gate_formula, gate_over_time
from ..figures.style import Palette
from ..gates import gated_rows, has_gate
from ..tracing import Trace
from ..views.gate import describe_rows
from ..views.view import Choice, Exhibit, Note, choose_frame, choose_head, choose_layer
from .chapter import Scene, Verdict
from .habits import find_head

TRIED = (0.0, 1.0, 2.0)
NEARLY = 0.01  # of a head's range of gates
LOW = 0.25  # of the way from a head's lowest gate to its highest


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head and frame."""
    return choose_layer(trace), choose_head(trace), choose_frame(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head whose gate matters, at the frame nearest to the middle where it is (nearly) highest."""
    if not has_gate(trace):
        return {"layer": trace.num_layers // 2, "head": 0, "frame": trace.num_frames // 2}
    layer, head = find_head(trace, "gate matters")
    gate = trace.gate(layer)[head]
    highest = (gate >= gate.max() - NEARLY * (gate.max() - gate.min())).nonzero()[:, 0]
    nearest = (highest - trace.num_frames // 2).abs().argmin()
    return {"layer": layer, "head": head, "frame": int(highest[nearest])}


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, frame: int) -> Iterator[Exhibit | Note]:
    """Yield the gate over the clip, and where the frame would look under other gates."""
    if not has_gate(trace):
        yield Note(
            "This checkpoint has **no gate**. The picture is a **demonstration**: every gate that the formula allows "
            "for c = 1. Choose *nano* as the model to see gates at work."
        )
        shares = np.linspace(0, 1, 101)
        gates = shares[:, None] * (shares - 1) + 2
        yield Exhibit(
            "demonstration_formula",
            gate_formula(palette=palette),
            "Every gate that the formula allows, for c = 1: between 1 and 2.",
            lambda: {"a": shares, "b": shares, "gate": gates},
            share=0.5,
        )
        return
    gates, rows = trace.gate(layer), gated_rows(trace, layer, head, frame, TRIED)
    arrays = {name: term.numpy() for name, term in rows._asdict().items()}
    times = {"frame_times": trace.frame_times.numpy()}
    yield Exhibit(
        "gate_over_time",
        gate_over_time(trace, layer, head, frame, palette),
        f"In frame {frame} the gate of head {head} is {float(gates[head, frame]):.2f}; over the clip it goes from "
        f"{float(gates[head].min()):.2f} to {float(gates[head].max()):.2f}.",
        lambda: {"gate": gates.numpy()} | times,
        share=0.5,
    )
    yield Exhibit(
        "gate_attention", gate_attention(trace, rows, frame, palette), describe_rows(rows), lambda: arrays | times,
        share=0.5,
    )  # fmt: skip


def judge(trace: Trace, layer: int, head: int, frame: int) -> Verdict:
    """Done where the gate is in the lowest quarter of what this head's gate does over the clip."""
    if not has_gate(trace):
        return Verdict(False, "This model has no gate. Choose *nano* as the model to try it.")
    gate = trace.gate(layer)[head]
    here, lowest, highest = float(gate[frame]), float(gate.min()), float(gate.max())
    if highest == lowest:
        return Verdict(False, f"The gate of head {head} is {here:.2f} in every frame. Try another head.")
    limit = lowest + LOW * (highest - lowest)
    return Verdict(
        here <= limit, f"The gate is {here:.2f} here. The lowest quarter of this head's range ends at {limit:.2f}."
    )


SCENE = Scene("gate", choices, begin, exhibits, judge)
