"""Interventions as facts: each comes back from JSON as it went in, and what no intervention is is refused in words."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from traces import make_trace

from wavlm_explorer import interventions
from wavlm_explorer.interventions import (
    AttentionIntervention,
    AttentionTo,
    AttentionWithin,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    StatesPatched,
)
from wavlm_explorer.interventions.facts import LARGEST, MOST, MOST_LISTED, NAMED, from_facts, to_facts

WRITTEN = {
    "all": (HeadsOff(), {"name": "HeadsOff", "mean": False, "layers": None, "heads": None}),
    "one": (GateFixed(1, layers=-1, heads=2), {"name": "GateFixed", "value": 1.0, "layers": -1, "heads": 2}),
    "list": (
        AttentionWithin(3, layers=[0, 2], heads=[1]),
        {"name": "AttentionWithin", "reach": 3, "layers": [0, 2], "heads": [1]},
    ),
    "slice": (FramesHidden(slice(3, None, 2)), {"name": "FramesHidden", "frames": {"slice": [3, None, 2]}}),
    "none": (LayersSkipped([]), {"name": "LayersSkipped", "layers": []}),
}
OTHER_INTEGERS = {
    "tuple": (LayersSkipped((0, 2)), [0, 2]),
    "array": (LayersSkipped(np.array([0, 2])), [0, 2]),
    "tensor": (LayersSkipped(torch.tensor([2])), [2]),
    "number of numpy": (LayersSkipped(np.int64(2)), 2),
    "tensor of one number": (LayersSkipped(torch.tensor(2)), 2),
    "slice of numpy": (LayersSkipped(slice(np.int64(1), None)), {"slice": [1, None, None]}),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_read(name):
    intervention, facts = WRITTEN[name]
    assert to_facts([intervention]) == [facts]
    assert from_facts(json.loads(json.dumps([facts, facts]))) == (intervention, intervention)


@pytest.mark.parametrize("name", OTHER_INTEGERS)
def test_every_way_to_name_layers_is_written(name):
    intervention, layers = OTHER_INTEGERS[name]
    assert json.loads(json.dumps(to_facts([intervention]))) == [{"name": "LayersSkipped", "layers": layers}]


def test_all_but_patches_can_be_written():
    kinds = {getattr(interventions, name) for name in interventions.__all__}
    kinds -= {interventions.Plan, interventions.Intervention, AttentionIntervention, StatesPatched}
    assert set(NAMED.values()) == kinds


@dataclass(frozen=True)
class Own(AttentionIntervention):
    """Somebody's own."""


class OwnHeadsOff(HeadsOff):
    """Not the one of that name."""


OwnHeadsOff.__name__ = "HeadsOff"


@pytest.mark.parametrize(
    ("intervention", "words"),
    [
        (StatesPatched(0, make_trace(seconds=0.1)), "StatesPatched takes its states from another trace"),
        (Own(), "for a file; found Own"),
        (OwnHeadsOff(), "for a file; found HeadsOff"),
    ],
)
def test_what_no_file_can_hold_is_not_written(intervention, words):
    with pytest.raises(ValueError, match=words):
        to_facts([HeadsOff(), intervention])


OFF = {"name": "HeadsOff", "mean": False, "layers": None, "heads": None}
SKIPPED = {"name": "LayersSkipped", "layers": 1}
REFUSED = {
    "no object": ("HeadsOff", "Intervention 1: expected a name among AttentionTo, .* found None"),
    "no name": ({"layers": 1}, "expected a name among .* found None"),
    "a name that is none": (OFF | {"name": ["HeadsOff"]}, r"found \['HeadsOff'\]"),
    "another class": (OFF | {"name": "AttentionIntervention"}, "found 'AttentionIntervention'"),
    "a patch": ({"name": "StatesPatched", "state": 1, "other": "x"}, "found 'StatesPatched'"),
    "a long name": (OFF | {"name": "x" * 10_000}, "found 'x{59}[.]$"),
    "a field too few": ({"name": "HeadsOff", "mean": False, "layers": 1}, "expected the fields layers, heads, mean"),
    "a field too many": (SKIPPED | {"heads": 1}, r"LayersSkipped: expected the fields layers; found \['name'"),
    "text for a layer": (SKIPPED | {"layers": "1"}, "LayersSkipped, layers: expected null, a whole number, a list"),
    "truth for a layer": (SKIPPED | {"layers": True}, "layers: expected null"),
    "half a layer": (SKIPPED | {"layers": 0.5}, "layers: expected null"),
    "lists in lists": (SKIPPED | {"layers": [[1]]}, "layers: expected null"),
    "a huge layer": (SKIPPED | {"layers": LARGEST + 1}, "layers: expected null"),
    "half a slice": (SKIPPED | {"layers": {"slice": [1, 2]}}, "layers: expected null"),
    "text in a slice": (SKIPPED | {"layers": {"slice": [1, "2", None]}}, "layers: expected null"),
    "no slice": (SKIPPED | {"layers": {"range": [1, 2, 3]}}, "layers: expected null"),
    "number for a flag": (OFF | {"mean": 1}, "HeadsOff, mean: expected true or false; found 1"),
    "text for a number": (
        {"name": "GateFixed", "value": "1", "layers": 1, "heads": 1},
        "with a decimal point; found '1'",
    ),
    "null for a frame": ({"name": "AttentionTo", "frame": None, "layers": 1, "heads": 1}, "frame: expected a whole"),
    "half a head": ({"name": "PositionFrom", "source": 0.5, "layers": 1, "heads": 1}, "source: expected a whole"),
    "a huge reach": ({"name": "AttentionWithin", "reach": 10**30, "layers": 1, "heads": 1}, "reach: expected a whole"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_intervention_is_not_read(name):
    entry, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        from_facts([OFF, entry])


def test_a_file_s_worth_of_interventions_is_enough():
    assert len(from_facts([OFF] * MOST)) == MOST
    with pytest.raises(ValueError, match="expected at most 1,000; found 1,001"):
        from_facts([OFF] * (MOST + 1))
    with pytest.raises(ValueError, match="expected at most 1,000 for a file; found 1,001"):
        to_facts([HeadsOff()] * (MOST + 1))


def test_lists_that_would_take_long_to_check_are_refused():
    half = MOST_LISTED // 2
    assert len(from_facts([SKIPPED | {"layers": [0] * half}] * 2)) == 2
    with pytest.raises(ValueError, match="lists of at most 100,000 numbers in all; found 150,000"):
        from_facts([SKIPPED | {"layers": [0] * half}] * 3)
    with pytest.raises(ValueError, match="lists of at most 100,000 numbers in all; found 100,001"):
        to_facts([FramesHidden(range(MOST_LISTED + 1))])


def test_order_is_kept():
    interventions = [PositionFrom(0, heads=1), PositionFrom(1, heads=0), AttentionTo(3), GateFixed(0.3)]
    assert from_facts(to_facts(interventions)) == tuple(interventions)
