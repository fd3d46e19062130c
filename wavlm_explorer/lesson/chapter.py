"""What a chapter of the lesson is: words that a lecturer can edit, and a scene on the reader's own sound."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..tracing import Trace
from ..views.view import Choice, Item, Lesson

KEYS = ("title", "what", "equation", "symbols", "try", "question", "answer")


class Verdict(NamedTuple):
    """Whether what the chapter says to try is done, and what the choices made so far amount to."""

    done: bool
    words: str  # markdown, made from the trace's numbers


@dataclass(frozen=True)
class Scene:
    """The part of a chapter that one plays with. It is pure, as a view is, and never writes to the trace's model."""

    laboratory: str  # the name of the view that shows more, with the same layer, head and frame
    choices: Callable[[Trace], tuple[Choice, ...]]
    begin: Callable[[Trace], dict[str, Any]]  # what is chosen when the chapter opens; there its try is yet to be done
    exhibits: Callable[..., Iterator[Item]]  # (trace, palette, **choices), as those of a view
    judge: Callable[..., Verdict]  # (trace, **choices)


@dataclass(frozen=True)
class Chapter:
    """One step of the lesson."""

    title: str
    lesson: Lesson
    question: str  # markdown, as is the answer
    answer: str
    scene: Scene


def read_chapter(name: str, scene: Scene) -> Chapter:
    """Put a scene together with its words, which stand beside it in a TOML file of that name.

    Raises: ValueError that says which file has which key too many or too few.
    """
    text = Path(__file__).with_name(f"{name}.toml").read_text("utf-8")
    return make_chapter(name, tomllib.loads(text), scene)


def make_chapter(name: str, words: dict[str, Any], scene: Scene) -> Chapter:
    """Check a chapter's words, and put them together with its scene.

    Raises: as `read_chapter`.
    """
    if set(words) != set(KEYS):
        missing, unknown = sorted(set(KEYS) - set(words)), sorted(set(words) - set(KEYS))
        raise ValueError(f"{name}.toml: expected the keys {', '.join(KEYS)}; missing {missing}, unknown {unknown}")
    texts = {key: words[key].strip() for key in KEYS if key != "symbols"}
    lesson = Lesson(texts["what"], texts["equation"], tuple(words["symbols"].items()), texts["try"])
    return Chapter(texts["title"], lesson, texts["question"], texts["answer"], scene)
