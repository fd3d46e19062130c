"""The pages of the explorer: one file a view. Every file here that has a VIEW is a page; nothing else lists them."""

import importlib
import pkgutil

from .view import (
    Choice,
    Collection,
    Exhibit,
    Fraction,
    Item,
    Lesson,
    Note,
    Offer,
    Option,
    Redraw,
    Setting,
    Sounds,
    Table,
    View,
    WholeNumber,
    Working,
    name_chosen,
)


def _find_views() -> tuple[View, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return tuple(sorted((module.VIEW for module in modules if hasattr(module, "VIEW")), key=lambda view: view.order))


VIEWS = _find_views()

__all__ = [
    "VIEWS",
    "Choice",
    "Collection",
    "Exhibit",
    "Fraction",
    "Item",
    "Lesson",
    "Note",
    "Offer",
    "Option",
    "Redraw",
    "Setting",
    "Sounds",
    "Table",
    "View",
    "WholeNumber",
    "Working",
    "name_chosen",
]
