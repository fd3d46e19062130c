"""The pages of the explorer, in their order: one file a view."""

from .attention import VIEW as ATTENTION
from .buckets import VIEW as BUCKETS
from .glu import VIEW as GLU
from .quant_noise import VIEW as QUANT_NOISE
from .view import Choice, Exhibit, Fraction, Lesson, Note, Option, Redraw, View, WholeNumber

VIEWS: tuple[View, ...] = (ATTENTION, BUCKETS, GLU, QUANT_NOISE)

__all__ = ["VIEWS", "Choice", "Exhibit", "Fraction", "Lesson", "Note", "Option", "Redraw", "View", "WholeNumber"]
