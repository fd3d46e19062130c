"""The report: every view's lesson and pictures of one trace, on one page to keep or to send."""

import re
from collections.abc import Iterator
from typing import Any

from .document import Document
from .figures.style import DARK, LIGHT, Picture
from .tracing import Trace
from .views import VIEWS, Exhibit, Item, Note, Sounds, View, WholeNumber, Working


def make_report(trace: Trace, **chosen: Any) -> Document:
    """Put what every view shows of a trace on one page.

    chosen: what is chosen on the views, such as layer=3 and head=2; what is not chosen is as each view has it at first.

    Raises: IndexError for a layer or head that is not there; ValueError for another choice that a view does not offer.
    """
    audio, model = trace.audio, trace.model
    document = Document(
        f"{audio.name} through {model.source.name}",
        f"What the attention of {model.source.name} does with {audio.duration:.2f} s of sound, head by head and in "
        "seconds.",
    )
    document.add_facts([
        ("sound", f"{audio.name}, {audio.start:g} to {audio.start + audio.duration:.2f} s, {trace.num_frames} frames"),
        ("model", f"{model.source.name}, {trace.num_layers} layers × {trace.num_heads} heads"),
        ("input", "normalised, as the model wants it" if trace.normalized else "as recorded"),
        ("weights", model.source.digest or "not from a file"),
    ])  # fmt: skip
    for view in VIEWS:
        _add_view(document, view, trace, chosen)
    return document


def _add_view(document: Document, view: View, trace: Trace, chosen: dict[str, Any]) -> None:
    choices = {name: chosen.get(name, default) for name, default in view.defaults(trace).items()}
    for choice in view.choices(trace):
        if isinstance(choice, WholeNumber) and not choice.minimum <= choices[choice.name] <= choice.maximum:
            found = choices[choice.name]
            raise IndexError(f"{choice.name}: expected {choice.minimum} to {choice.maximum}; found {found}")
    document.add_heading(view.title)
    document.add_text(plain(view.lesson.what))
    document.add_equation(view.lesson.equation, ((symbol, plain(meaning)) for symbol, meaning in view.lesson.symbols))
    document.add_facts((choice.label, choices[choice.name]) for choice in view.choices(trace))
    for light, dark in _in_both_palettes(view, trace, choices):
        if isinstance(light, Note | Sounds):
            document.add_text(plain(light.text))
        elif isinstance(light, Working):
            for words, latex in light.steps:
                document.add_text(plain(words))
                document.add_equation(latex)
        elif isinstance(dark, Exhibit):
            pictures: dict[str, Picture] = {LIGHT.background: light.picture, DARK.background: dark.picture}
            document.add_picture(lambda palette, of=pictures: of[palette.background], plain(light.caption))


def _in_both_palettes(view: View, trace: Trace, choices: dict[str, Any]) -> Iterator[tuple[Item, Item]]:
    return zip(view.exhibits(trace, LIGHT, **choices), view.exhibits(trace, DARK, **choices), strict=True)


def plain(markdown: str) -> str:
    """Take the emphasis out of a view's markdown; `code` stays."""
    return re.sub(r"\*{1,2}([^*]+)\*{1,2}", r"\1", markdown)
