"""What a view is: a lesson, typed choices, and a function from a trace to pictures. It knows nothing of the page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..audio import Audio
from ..figures.style import Picture
from ..tracing import Trace


@dataclass(frozen=True)
class Lesson:
    """The words at the head of a page."""

    what: str  # what is shown, in a sentence or two of markdown
    equation: str  # LaTeX
    symbols: tuple[tuple[str, str], ...]  # (LaTeX, meaning)
    try_this: str  # one thing to do, in markdown


@dataclass(frozen=True)
class Choice:
    """Something to choose; `name` is the keyword under which a view receives it and its key in the page's link.

    Choices of the same name on different views are one: the layer chosen here is the layer shown there.
    """

    name: str
    label: str
    help: str = ""
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, kw_only=True)  # choices before it -> values

    def is_asked(self, chosen: Mapping[str, Any]) -> bool:
        """Whether it matters, by `when`, beside what is chosen already; where it does not, its default is taken."""
        return all(chosen[name] in values for name, values in self.when.items())


@dataclass(frozen=True)
class WholeNumber(Choice):
    """A whole number from `minimum` to `maximum`, chosen on a slider."""

    minimum: int = 0
    maximum: int = 0
    default: int = 0


@dataclass(frozen=True)
class Setting(WholeNumber):
    """A whole number that every model has one of its own of, the default; with another model it starts there again."""


@dataclass(frozen=True)
class Fraction(Choice):
    """A number from `minimum` to `maximum`, chosen on a slider."""

    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0
    step: float = 0.05


@dataclass(frozen=True)
class Option(Choice):
    """One of several names. Many are shown as a menu, few side by side."""

    options: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class Redraw(Choice):
    """A button; the view receives how often it was pressed, and takes it for a seed."""


@dataclass(frozen=True)
class Collection(Choice):
    """Several texts, collected one by one and kept in their order; the view receives them as a tuple."""

    default: tuple[str, ...] = ()
    add: str = field(kw_only=True)  # what adding one is called, on a button
    describe: Callable[[Mapping[str, Any]], str | None] = field(kw_only=True)  # choices before it -> what can be added
    then: Mapping[str, Any] = field(kw_only=True)  # what choices before it become once that is added
    example: str = field(kw_only=True)  # of a text, for who types one


@dataclass(frozen=True)
class Exhibit:
    """A picture, what it says in words, and its numbers."""

    name: str  # a file's name, without an ending
    picture: Picture
    caption: str  # markdown
    arrays: Callable[[], Mapping[str, np.ndarray]]  # its numbers, made when somebody asks for them
    share: float = 1.0  # of the page's width; neighbours that fit side by side are put there


@dataclass(frozen=True)
class Note:
    """Something the reader must know before the next picture: what a checkpoint lacks, what stands in for it."""

    text: str  # markdown


@dataclass(frozen=True)
class Working:
    """An equation worked through: each step says in words what it does, then does it in symbols and in numbers."""

    steps: tuple[tuple[str, str], ...]  # (markdown, LaTeX)


@dataclass(frozen=True)
class Table:
    """Numbers to look up, behind a line that opens them."""

    name: str  # a file's name, without an ending
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    caption: str


@dataclass(frozen=True)
class Offer:
    """Work that takes long, done when somebody wants it; then the view is asked again, and shows what came of it."""

    name: str
    label: str  # what wanting it is called, on a button
    text: str  # markdown: what it does, and how much that is
    work: Callable[[Callable[[float], None]], object]  # calls its argument with the share done, 0 to 1


@dataclass(frozen=True)
class Sounds:
    """Short sounds to hear, beside what the pictures show."""

    text: str  # markdown
    clips: tuple[tuple[str, Audio], ...]  # (what it is, in markdown; the sound)


Item = Exhibit | Note | Sounds | Working | Table | Offer  # what a view yields


@dataclass(frozen=True)
class View:
    """One page of the explorer.

    `exhibits(trace, palette, **choices)` yields items, each as soon as it is ready.
    """

    name: str  # in the link
    title: str
    icon: str  # of Material Symbols
    lesson: Lesson
    exhibits: Callable[..., Iterator[Item]]
    choices: Callable[[Trace], tuple[Choice, ...]]  # at least one
    section: str = "Laboratories"  # of the navigation; without a name the page stands there by itself
    order: int = 1000  # among the pages, from left to right; by default behind those that come with the toolkit

    def defaults(self, trace: Trace) -> dict[str, Any]:
        """What is chosen before anyone chooses."""
        return {choice.name: getattr(choice, "default", 0) for choice in self.choices(trace)}


def name_chosen(value: Any) -> str:
    """Write what is chosen for a reader."""
    return ("; ".join(value) or "none") if isinstance(value, tuple) else str(value)


def choose_layer(trace: Trace) -> WholeNumber:
    """The layer, shared by all views."""
    return WholeNumber(
        "layer", "Layer", "Counted from 0, bottom to top.", 0, trace.num_layers - 1, trace.num_layers // 2
    )


def choose_frame(trace: Trace) -> WholeNumber:
    """The frame, shared by all views that look at one."""
    last, hop = trace.num_frames - 1, 1000 * trace.model.config.frame_seconds
    return WholeNumber("frame", "Frame", f"Counted from 0, one each {hop:.0f} ms.", 0, last, last // 2)


def choose_head(trace: Trace) -> WholeNumber:
    """The head, shared by all views."""
    return WholeNumber("head", "Head", "Counted from 0, as in the checkpoint.", 0, trace.num_heads - 1, 0)
