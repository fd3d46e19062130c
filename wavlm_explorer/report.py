"""The report: lessons, pictures and numbers of one trace, on one page to keep or to send."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .document import Document
from .figures.style import DARK, LIGHT, Palette, Picture
from .tracing import Trace
from .typesetting import set_prose
from .views import VIEWS, Exhibit, Item, Lesson, Note, Offer, Sounds, Table, View, WholeNumber, Working, name_chosen

MakeItems = Callable[[Palette], Iterable[Item]]


def make_report(
    trace: Trace,
    pages: Iterable[str] | None = None,
    progress: Callable[[float], object] | None = None,
    **chosen: Any,
) -> Document:
    """Put what the explorer's pages show of a trace on one page; `.to_html()` is a file that needs nothing beside it.

    pages: names, as in the explorer's links, such as "attention"; None is all of them.
    progress: called with the share of the pages that are drawn, 0 to 1.
    chosen: what is chosen on the pages, such as layer=3 and head=2; what is not chosen is as each has it at first.

    Raises: ValueError for a page that is not there, or a choice that a page does not offer; IndexError for a layer,
    head or frame that is not there.
    """
    views = find_pages(pages)
    document = begin_report(trace)
    if len(views) > 1:
        document.add_contents()
    for index, view in enumerate(views, 1):
        choices = _choose(view, trace, chosen)
        _add_view(document, view, trace, choices, partial(view.exhibits, trace, **choices))
        if progress is not None:
            progress(index / len(views))
    return document


def report_view(view: View, trace: Trace, chosen: Mapping[str, Any], make_items: MakeItems) -> Document:
    """Put one page by itself, with what `make_items` makes of it for either palette."""
    document = begin_report(trace)
    _add_view(document, view, trace, chosen, make_items)
    return document


def begin_report(trace: Trace) -> Document:
    """Begin with what was traced, and through what."""
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
    return document


def add_lesson(document: Document, title: str, lesson: Lesson, facts: Iterable[tuple[str, Any]]) -> None:
    """Add the head of a page: what is shown, by which equation, and what is chosen."""
    document.add_heading(title)
    for paragraph in lesson.what.split("\n\n"):
        document.add_text(set_prose(paragraph))
    document.add_equation(lesson.equation, ((symbol, set_prose(meaning)) for symbol, meaning in lesson.symbols))
    document.add_facts(facts)


def add_items(document: Document, make_items: MakeItems) -> None:
    """Add what a page shows, not what it offers; what cannot be computed, for want of memory, is said in its place."""
    both = ((item for item in make_items(palette) if not isinstance(item, Offer)) for palette in (LIGHT, DARK))
    try:
        for light, dark in zip(*both, strict=False):
            _add_item(document, light, dark)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        document.add_text(f"This could not be computed here: {error}")


def _add_view(document: Document, view: View, trace: Trace, chosen: Mapping[str, Any], make_items: MakeItems) -> None:
    asked = [choice for choice in view.choices(trace) if choice.is_asked(chosen)]
    add_lesson(
        document, view.title, view.lesson, ((choice.label, name_chosen(chosen[choice.name])) for choice in asked)
    )
    add_items(document, make_items)


def _add_item(document: Document, light: Item, dark: Item) -> None:
    match light, dark:
        case Note() | Sounds(), _:
            for paragraph in light.text.split("\n\n"):
                document.add_text(set_prose(paragraph))
        case Working(), _:
            for words, latex in light.steps:
                document.add_text(set_prose(words))
                document.add_equation(latex)
        case Table(), _:
            document.add_table(light.columns, light.rows, light.caption, fold=light.title)
        case Exhibit(), Exhibit():
            pictures: dict[str, Picture] = {LIGHT.background: light.picture, DARK.background: dark.picture}
            document.add_picture(lambda palette: pictures[palette.background], set_prose(light.caption))


def find_pages(names: Iterable[str] | None = None) -> Sequence[View]:
    """Return the pages of these names, or all.

    Raises: ValueError for a page that is not there.
    """
    by_name = {view.name: view for view in VIEWS}
    chosen = list(by_name if names is None else names)
    for name in chosen:
        if name not in by_name:
            raise ValueError(f"pages: expected some of {', '.join(by_name)}; found {name!r}")
    return [by_name[name] for name in chosen]


def _choose(view: View, trace: Trace, chosen: dict[str, Any]) -> dict[str, Any]:
    choices = {name: chosen.get(name, default) for name, default in view.defaults(trace).items()}
    for choice in view.choices(trace):
        if isinstance(choice, WholeNumber) and not choice.minimum <= choices[choice.name] <= choice.maximum:
            found = choices[choice.name]
            raise IndexError(f"{choice.name}: expected {choice.minimum} to {choice.maximum}; found {found}")
    return choices
