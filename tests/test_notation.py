"""Interventions as text: written and read again, typed by people, and nonsense explained."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from models import VARIANTS
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
    StatesPatched,
)
from wavlm_explorer.notation import FORMS, find_form, format_intervention, parse_intervention
from wavlm_explorer.sample_traces import trace_sample
from wavlm_explorer.samples import load_sample, sample_names
from wavlm_explorer.trace_files import pack_trace

TRACE = make_trace()  # 3 layers, 3 heads, 24 frames
LAYERS = HEADS = 3
COUNTS = {"layers": LAYERS, "heads": HEADS, "frames": TRACE.num_frames}


def numbers(count: int):
    """One, a range, several that rise, a slice, or all, below a count."""
    index = some.integers(0, count - 1)
    several = some.sets(index, min_size=1).map(sorted)
    ends = some.tuples(index, index).map(sorted)
    return some.one_of(some.none(), index, several, several.map(np.array), ends.map(range_of), ends.map(slice_of))


def range_of(ends: list[int]) -> range:
    """Both ends and what is between."""
    return range(ends[0], ends[1] + 1)


def slice_of(ends: list[int]) -> slice:
    """The same as a slice."""
    return slice(ends[0], ends[1] + 1)


def meant(chosen, count: int) -> list[int]:
    """What a choice of numbers names."""
    chosen = slice(None) if chosen is None else chosen
    return list(range(count))[chosen] if isinstance(chosen, slice) else np.atleast_1d(chosen).tolist()


PLACES = {"layers": numbers(LAYERS), "heads": numbers(HEADS)}
FRAME, FRAMES = some.integers(0, TRACE.num_frames - 1), numbers(TRACE.num_frames)
GATES = some.floats(-1000, 1000)
ARGUMENTS = {
    HeadsOff: {"mean": some.booleans(), **PLACES},
    ContentOff: PLACES,
    PositionOff: PLACES,
    AttentionUniform: PLACES,
    PositionFrom: {"source": some.integers(0, HEADS - 1), **PLACES},
    GateFixed: {"value": GATES | some.integers(-5, 5), **PLACES},
    AttentionWithin: {"reach": some.integers(0, 99_999), **PLACES},
    AttentionTo: {"frame": FRAME, **PLACES},
    LayersSkipped: {"layers": numbers(LAYERS)},
    FramesHidden: {"frames": FRAMES},
}


@pytest.mark.parametrize("kind", ARGUMENTS)
@settings(deadline=None, max_examples=25)
@given(data=some.data())
def test_what_is_written_is_read_as_the_same(kind, data):
    arguments = data.draw(some.fixed_dictionaries(ARGUMENTS[kind]))
    text = format_intervention(kind(**arguments))
    again = parse_intervention(text, TRACE)
    assert type(again) is kind
    for name, before in arguments.items():
        after, count = getattr(again, name), COUNTS.get(name)
        assert (before == after) if count is None else (meant(before, count) == meant(after, count))
    assert format_intervention(again) == text


@settings(deadline=None, max_examples=60)
@given(
    some.integers(0, LAYERS),
    some.sampled_from(sample_names()),
    some.none() | some.sets(FRAME, min_size=1).map(sorted),
    some.booleans(),
)
def test_patches_are_read_as_the_same(state, name, frames, elsewhere):
    other = trace_sample(TRACE, name)
    sources = list(range(7, 7 + len(frames or range(TRACE.num_frames)))) if elsewhere else None
    text = format_intervention(StatesPatched(state, other, frames, sources))
    again = parse_intervention(text, TRACE)
    assert isinstance(again, StatesPatched)
    assert again.other is other
    shape = (LAYERS + 1, TRACE.num_frames, TRACE.hidden_states.shape[2])
    (found_state, found), (_, wanted) = again.bind(shape), StatesPatched(state, other, frames, sources).bind(shape)
    assert found_state == state
    assert torch.equal(found.frames, wanted.frames)
    assert torch.equal(found.values, wanted.values)
    assert format_intervention(again) == text


def test_the_other_clip_passes_through_the_same_model():
    trace = make_trace(VARIANTS["pre-norm"])
    patch = parse_intervention("patch state 2 frames 3-5 from vowels frames 7-9", trace)
    expected = wx.trace(trace.model, load_sample("vowels"), trace.normalized).hidden_states[2, 7:10]
    assert torch.equal(trace.what_if([patch]).hidden_states[2, 3:6], expected)


@pytest.mark.parametrize(
    ("text", "intervention"),
    [
        ("head off in layer 1 head 2", HeadsOff(layers=1, heads=2)),
        ("  Head  OFF @ layer 1 head 2 ", HeadsOff(layers=1, heads=2)),
        ("head mean in heads 0-1", HeadsOff(mean=True, heads=range(2))),
        ("gate 1.5 in layers 0,2", GateFixed(1.5, layers=(0, 2))),
        ("gate -1", GateFixed(-1.0)),
        ("position from 2 @ layer 0-1", PositionFrom(2, layers=range(2))),
        ("position off", PositionOff()),
        ("content off in layer all", ContentOff()),
        ("attention within 4", AttentionWithin(4)),
        ("attention to 7 in head 0", AttentionTo(7, heads=0)),
        ("attention uniform", AttentionUniform()),
        ("hide 12-15", FramesHidden(range(12, 16))),
        ("hide 1,3-5,9", FramesHidden((1, 3, 4, 5, 9))),
        ("skip layer 2", LayersSkipped(2)),
    ],
)
def test_what_is_typed_is_understood(text, intervention):
    assert parse_intervention(text, TRACE) == intervention


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "^expected one of: head off, head mean, .*gate NUMBER, .*skip layer LAYERS, .*; found ''$"),
        ("haed off", "expected one of: head off, "),
        ("head off in", "expected one of: "),
        ("head off layer 3", "expected one of: "),
        ("skip layer 1 in head 2", "expected one of: "),
        ("gate two", "value: expected a number; found 'two'"),
        ("gate nan", "value: expected a number; found 'nan'"),
        ("gate 1e999", "value: expected a number"),
        ("gate 1e300", "value: expected a number from -1000 to 1000 for the gate; found 1e.300"),
        ("position from -1", "source: expected a whole number, 0 or more; found '-1'"),
        ("hide 9-3", "frames: expected a number, a range, or several that rise: .*found '9-3'"),
        ("hide 3,3", "frames: expected a number"),
        ("hide 1-", "frames: expected a number"),
        ("head off in layer x", "layers: expected a number"),
        ("patch state 2 from tune", "from: expected one of sentence, two_voices, .*; found 'tune'"),
        ("skip layer 3", "layer 3 is out of range: expected 0 to 2"),
        ("head off in head 9", "head 9 is out of range"),
        ("hide 20-30", "frame 24 is out of range"),
        ("hide 0-99999", "frame 24 is out of range"),
        ("patch state 4 from noise", "state 4 is out of range"),
        ("patch state 1 frames 0-1 from noise frames 4", "sources: expected one for each of 2 frames; found 1"),
    ],
)
def test_nonsense_and_what_has_no_place_is_explained(text, words):
    with pytest.raises((ValueError, IndexError), match=words):
        parse_intervention(text, TRACE)


def test_what_can_be_told_without_a_trace_is():
    form, found = find_form("patch state 9 frames 4-6 from vowels")
    assert (form.kind, found) == (StatesPatched, {"state": 9, "frames": range(4, 7), "other": "vowels"})
    with pytest.raises(ValueError, match="expected a number"):
        find_form("gate one")


def test_what_a_model_lacks_is_explained():
    with pytest.raises(ValueError, match="one has none"):
        parse_intervention("gate 1", make_trace(VARIANTS["no gate"]))
    loaded = wx.load_trace(pack_trace(TRACE), "cpu")
    for text in ("hide 3", "patch state 1 from vowels"):
        with pytest.raises(ValueError, match="Load the checkpoint itself"):
            parse_intervention(text, loaded)
    assert parse_intervention("skip layer 1", loaded) == LayersSkipped(1)


@pytest.mark.parametrize(
    "intervention",
    [
        HeadsOff(layers=-1),
        FramesHidden([5, 3]),
        FramesHidden([]),
        FramesHidden(slice(4, None)),
        FramesHidden(slice(-4, -1)),
        StatesPatched(1, TRACE),
    ],
)
def test_what_has_no_text_is_refused(intervention):
    with pytest.raises(ValueError, match="expected"):
        format_intervention(intervention)


def test_every_intervention_has_a_form():
    kinds = {kind for kind in vars(wx.interventions).values() if isinstance(kind, type)}
    bases = {wx.interventions.AttentionIntervention, wx.interventions.Plan}
    assert {form.kind for form in FORMS} == {*ARGUMENTS, StatesPatched} == kinds - bases
