"""Labels of a sound: phones, words or whatever a TextGrid, an Audacity file or a CTM says is heard when."""

from .loading import load_labels
from .track import Interval, LabelError, LabelTrack

__all__ = ["Interval", "LabelError", "LabelTrack", "load_labels"]
