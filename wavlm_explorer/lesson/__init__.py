"""The lesson: thirteen chapters from the waveform to the heads' birth, each a file of words beside a file of code.

The words are in TOML files that anyone can edit; the code beside them says what is shown, and notices what was tried.
"""

from . import birth, buckets, frames, gate, glu, guessing, heads, layers, noise, position, queries, removal, window
from .chapter import Chapter, Scene, Verdict, read_chapter

_MODULES = (
    frames, window, queries, position, buckets, gate, heads, layers, glu, noise, removal, guessing, birth,
)  # fmt: skip

CHAPTERS = tuple(read_chapter(module.__name__.rpartition(".")[2], module.SCENE) for module in _MODULES)

__all__ = ["CHAPTERS", "Chapter", "Scene", "Verdict"]
