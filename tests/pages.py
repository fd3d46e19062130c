"""What a page yields, for its tests."""

from collections.abc import Iterable
from typing import Any

from wavlm_explorer.figures import LIGHT, Palette
from wavlm_explorer.tracing import Trace
from wavlm_explorer.views import Exhibit, Item, Note, View


def show_page(view: View, trace: Trace, palette: Palette = LIGHT, /, **chosen: Any) -> list[Any]:
    """Everything that a page yields, with what is chosen and else with what it begins with."""
    return list(view.exhibits(trace, palette, **{**view.defaults(trace), **chosen}))


def by_name(items: Iterable[Item]) -> dict[str, Exhibit]:
    """The pictures among them."""
    return {item.name: item for item in items if isinstance(item, Exhibit)}


def notes_of(items: Iterable[Item]) -> str:
    """The notes among them, in one text."""
    return " ".join(item.text for item in items if isinstance(item, Note))
