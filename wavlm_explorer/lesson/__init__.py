"""The lesson: ten chapters from the waveform to what noise does, each a file of words beside a file of code.

The words are in TOML files that anyone can edit; the code beside them says what is shown, and notices what was tried.
"""

from . import buckets, frames, gate, glu, heads, layers, noise, position, queries, window
from .chapter import Chapter, Scene, Verdict, read_chapter

CHAPTERS = tuple(
    read_chapter(module.__name__.rpartition(".")[2], module.SCENE)
    for module in (frames, window, queries, position, buckets, gate, heads, layers, glu, noise)
)

__all__ = ["CHAPTERS", "Chapter", "Scene", "Verdict"]
