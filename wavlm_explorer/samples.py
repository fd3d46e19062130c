"""Five short sounds that come with the explorer, with the time of every phone and word in them."""

from dataclasses import dataclass, replace
from importlib import resources

from .audio import Audio, load_audio


@dataclass(frozen=True)
class Sample:
    """What a clip is called, and one sentence on what to look for in its attention."""

    title: str
    look_for: str


SAMPLES = {
    "sentence": Sample(
        "A sentence",
        "Sibilants, stops and vowels side by side: see which heads look at the neighbours and which at sounds alike.",
    ),
    "two_voices": Sample(
        "Two voices",
        "A low and a high voice say the same words: does a frame attend to the same word in the other voice?",
    ),
    "vowels": Sample(
        "Seven vowels",
        "Each vowel is held and nothing else changes: attention within a vowel has only position to tell frames apart.",
    ),
    "pause": Sample(
        "A pause",
        "A second of silence between two phrases: see which frames look into it, and where its own frames look.",
    ),
    "noise": Sample(
        "Speech in noise",
        "White noise from end to end, half a second of it alone at first and last: compare noise, speech and closures.",
    ),
}


def sample_names() -> list[str]:
    """The names that `load_sample` takes."""
    return list(SAMPLES)


def load_sample(name: str) -> Audio:
    """One of the bundled clips.

    Raises: ValueError for a name that is not in `sample_names()`.
    """
    return replace(load_audio(_read(name, "flac")), name=name)


def sample_textgrid(name: str) -> str:
    """Its labels as the text of a Praat TextGrid: the tiers "phones", in IPA, and "words"; silences are empty.

    Raises: ValueError for a name that is not in `sample_names()`.
    """
    return _read(name, "TextGrid").decode("utf-8")


def _read(name: str, ending: str) -> bytes:
    if name not in SAMPLES:
        raise ValueError(f"expected one of {', '.join(SAMPLES)}, found {name!r}")
    return (resources.files("wavlm_explorer") / "assets" / "clips" / f"{name}.{ending}").read_bytes()
