"""The pages of the explorer, in their order: one file a view."""

from .attention import VIEW as ATTENTION
from .view import Choice, Exhibit, Fraction, Lesson, Note, Option, Redraw, View, WholeNumber

VIEWS: tuple[View, ...] = (ATTENTION,)

__all__ = ["VIEWS", "Choice", "Exhibit", "Fraction", "Lesson", "Note", "Option", "Redraw", "View", "WholeNumber"]
