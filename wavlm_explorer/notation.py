"""Interventions as text, as a link carries them and as one types them: "gate 1.5 in layer 2 head 0-3".

Conventions: changes in attention may end with a place, "in layer L head H" or either of them alone; without one they
are everywhere. Layers, heads and frames are one number, a range with both its ends, several that rise, or all: 4, 0-3,
"0-3,5". FORMS lists what there is; a field of a form is one of the intervention that it makes.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np

from .excerpt import WITHOUT_HEARING, can_hear
from .indices import Heads
from .interventions import (
    AttentionIntervention,
    AttentionTo,
    AttentionUniform,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    Intervention,
    LayersSkipped,
    Plan,
    PositionFrom,
    PositionOff,
    StatesPatched,
)
from .sample_traces import trace_sample
from .samples import sample_names
from .tracing import Trace

_PLACE = r"(?: (?:in|@)(?= layer| head)(?: layers? (?P<layers>\S+))?(?: heads? (?P<heads>\S+))?)?"
_TOLD_AS = {"value": "number", "source": "head", "reach": "frames", "other": "sample", "sources": "frames"}
_RUN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")  # five digits of frames are half an hour


@dataclass(frozen=True)
class Form:
    """One way to write an intervention; `fixed` are the fields that its words alone decide."""

    template: str
    kind: type[Intervention]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        """The form as a reader is told of it: "gate NUMBER"."""
        return re.sub(r"\{(\w+)\}", lambda match: _TOLD_AS.get(match[1], match[1]).upper(), self.template)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a text of this form looks like, a word for each field."""
        place = _PLACE if issubclass(self.kind, AttentionIntervention) else ""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\S+)", self.template) + place)

    def covers(self, intervention: Intervention) -> bool:
        """Whether this form can say all that an intervention is."""
        if type(intervention) is not self.kind:
            return False
        said = {**dict.fromkeys(self.pattern.groupindex), **self.fixed}
        found = {one.name: getattr(intervention, one.name) for one in fields(intervention)}
        silent = all(value is None for name, value in found.items() if name not in said)
        return silent and all(found[name] == value for name, value in self.fixed.items())


FORMS = (
    Form("head off", HeadsOff, {"mean": False}),
    Form("head mean", HeadsOff, {"mean": True}),
    Form("content off", ContentOff),
    Form("position off", PositionOff),
    Form("position from {source}", PositionFrom),
    Form("gate {value}", GateFixed),
    Form("attention uniform", AttentionUniform),
    Form("attention within {reach}", AttentionWithin),
    Form("attention to {frame}", AttentionTo),
    Form("skip layer {layers}", LayersSkipped),
    Form("hide {frames}", FramesHidden),
    Form("patch state {state} from {other}", StatesPatched),
    Form("patch state {state} frames {frames} from {other}", StatesPatched),
    Form("patch state {state} frames {frames} from {other} frames {sources}", StatesPatched),
)


def parse_intervention(text: str, trace: Trace) -> Intervention:
    """Make a text an intervention that this trace can be put under.

    Raises: ValueError for a text of no form, and for what the trace has no place for; IndexError naming the range.
    """
    form, found = find_form(text)
    if "other" in found:
        found["other"] = trace_sample(trace, found["other"])
    intervention = form.kind(**form.fixed, **found)
    check_intervention(intervention, trace)
    return intervention


def find_form(text: str) -> tuple[Form, dict[str, Any]]:
    """Return the form of a text and its fields, with a sample's name in the place of its trace.

    Raises: ValueError that says which forms there are, or what was expected of a field.
    """
    words = " ".join(text.lower().split())
    for form in FORMS:
        if match := form.pattern.fullmatch(words):
            said = {name: word for name, word in match.groupdict().items() if word is not None}
            return form, {name: _read(name, word) for name, word in said.items()}
    raise ValueError(f"expected one of: {', '.join(form.shape for form in FORMS)}; found {text!r}")


def format_intervention(intervention: Intervention) -> str:
    """Write an intervention as a text that `parse_intervention` reads.

    Raises: ValueError for one that has no text: of numbers that do not rise or count from the end, or of a clip
    that is no sample.
    """
    form = next((form for form in FORMS if form.covers(intervention)), None)
    if form is None:
        raise ValueError(f"expected an intervention that has a text; found {intervention!r}")
    said = {name: _write(name, getattr(intervention, name)) for name in form.pattern.groupindex}
    text = form.template.format(**said)
    if not isinstance(intervention, AttentionIntervention):
        return text
    places = {"layer": intervention.layers, "head": intervention.heads}
    place = " ".join(f"{name} {_write(name, chosen)}" for name, chosen in places.items() if chosen is not None)
    return f"{text} in {place}" if place else text


def check_intervention(intervention: Intervention, trace: Trace) -> None:
    """Refuse what a trace cannot be put under.

    Raises: ValueError; IndexError naming the range.
    """
    plan = Plan(trace.model, trace.num_frames, [intervention])
    if plan.start < 0 and not can_hear(trace.model):
        raise ValueError(WITHOUT_HEARING)


def _read(name: str, word: str) -> Any:
    match name:
        case "value":
            return _read_number(name, word)
        case "other":
            if word not in sample_names():
                raise ValueError(f"from: expected one of {', '.join(sample_names())}; found {word!r}")
            return word
        case "layers" | "heads" | "frames" | "sources":
            return _read_numbers(name, word)
    if not re.fullmatch(r"\d{1,5}", word):
        raise ValueError(f"{name}: expected a whole number, 0 or more; found {word!r}")
    return int(word)


def _read_number(name: str, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a number; found {word!r}")
    return number


def _read_numbers(name: str, word: str) -> Heads:
    if word == "all":
        return None
    runs = [_RUN.fullmatch(part) for part in word.split(",")]
    ranges = [range(int(run[1]), int(run[2] or run[1]) + 1) for run in runs if run]
    if not all(runs) or not all(ranges) or any(later.start < one.stop for one, later in pairwise(ranges)):
        raise ValueError(f"{name}: expected a number, a range, or several that rise: 4, 0-3 or 0-3,5; found {word!r}")
    if len(ranges) > 1:
        return tuple(chain.from_iterable(ranges))
    return ranges[0] if len(ranges[0]) > 1 else ranges[0].start


def _write(name: str, value: Any) -> str:
    match name:
        case "value":
            return repr(float(value)).removesuffix(".0")
        case "other":
            if value.audio.name not in sample_names():
                raise ValueError(f"other: expected a trace of one of {', '.join(sample_names())}; found {value!r}")
            return value.audio.name
    return "all" if value is None else _write_numbers(name, value)


def _write_numbers(name: str, chosen: Heads) -> str:
    numbers = _list_numbers(chosen)
    if not numbers or min(numbers) < 0 or any(later <= one for one, later in pairwise(numbers)):
        raise ValueError(f"{name}: expected numbers that rise, 0 or more; found {chosen!r}")
    known = set(numbers)
    starts = [number for number in numbers if number - 1 not in known]
    ends = [number for number in numbers if number + 1 not in known]
    return ",".join(f"{start}-{end}" if end > start else str(start) for start, end in zip(starts, ends, strict=True))


def _list_numbers(chosen: Heads) -> list[int]:
    """Spell out what was chosen; a slice without an end names no numbers."""
    if isinstance(chosen, slice):
        return [] if chosen.stop is None else list(range(chosen.start or 0, chosen.stop, chosen.step or 1))
    return np.atleast_1d(np.asarray(chosen)).tolist()
