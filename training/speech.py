"""Real 16 kHz speech under a free licence: the announcements of the Asterisk telephone exchange, as Debian packs them.

Five speakers, one a language, two hours in all. The clips of a split lie end to end in one memory-mapped array, so that
a training step is a few slices and nothing is decoded twice.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, Int16

LANGUAGES = ("en", "es", "fr", "it", "ru")
STRANGER = "ru"  # this language, and with it this voice, is kept out of round one altogether
HELD_OUT_EVERY = 20  # of the known speakers' clips, every twentieth is kept for validation
SPLITS = ("train", "heldout", "stranger")
PACKAGES = tuple(f"asterisk-core-sounds-{language}-g722" for language in LANGUAGES)  # 56 MB

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wavlm-explorer/training"

SAMPLE_RATE = 16_000  # samples a second
HOP = 320  # samples from frame to frame: 20 ms
WINDOW = 400  # samples a frame sees: 25 ms


@dataclass(frozen=True)
class Speech:
    """The clips of one split, end to end, speaker after speaker.

    `samples` is int16 [samples]; every clip is cut to whole hops, so frame i of the whole covers the samples
    HOP * i to HOP * i + WINDOW. `speaker_starts` are the frames at which another voice begins, the first 0.
    """

    samples: Int16[np.ndarray, " samples"]
    speaker_starts: tuple[int, ...]

    @property
    def num_frames(self) -> int:
        """How many whole 25 ms windows the samples hold."""
        return (len(self.samples) - WINDOW) // HOP + 1

    def crop(self, first_frame: int, num_frames: int) -> Float[np.ndarray, " samples"]:
        """Samples, full scale 1, of exactly `num_frames` frames from `first_frame` on.

        Raises: IndexError when the crop does not lie inside the speech.
        """
        if first_frame < 0 or first_frame + num_frames > self.num_frames:
            raise IndexError(f"frames {first_frame} to {first_frame + num_frames} of {self.num_frames}")
        start = first_frame * HOP
        stop = start + (num_frames - 1) * HOP + WINDOW
        return self.samples[start:stop].astype(np.float32) / 32768

    def one_voice(self, first_frame: int, num_frames: int) -> bool:
        """Whether no other speaker starts inside the crop."""
        return not any(first_frame < start < first_frame + num_frames for start in self.speaker_starts)

    def random_starts(self, generator: np.random.Generator, count: int, num_frames: int) -> list[int]:
        """First frames of `count` crops of one voice each, anywhere with equal chance."""
        starts: list[int] = []
        while len(starts) < count:
            start = int(generator.integers(self.num_frames - num_frames + 1))
            if self.one_voice(start, num_frames):
                starts.append(start)
        return starts

    def even_starts(self, count: int, num_frames: int) -> list[int]:
        """First frames of at most `count` crops of one voice each, evenly spread and always the same."""
        spread = np.linspace(0, self.num_frames - num_frames, count).astype(int)
        return [int(start) for start in spread if self.one_voice(int(start), num_frames)]


def fetch(folder: Path, packages: tuple[str, ...] = PACKAGES) -> Path:
    """Download and unpack Debian packages below `folder`, without root's rights; what is already there stays.

    Raises: RuntimeError where `apt-get` or `dpkg` is missing or fails.
    Source: https://packages.debian.org/source/stable/asterisk-core-sounds
    """
    unpacked = folder / "unpacked"
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if (unpacked / "usr/share/doc" / package).is_dir():
            continue
        try:
            if not any(folder.glob(f"{package}_*.deb")):
                subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True)
            subprocess.run(["dpkg", "-x", next(folder.glob(f"{package}_*.deb")), unpacked], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            advice = f"put {package}_*.deb into {folder} by hand, or use a machine with Debian's apt-get and dpkg"
            raise RuntimeError(f"the Debian package {package} could not be had: {error}; {advice}") from error
    return unpacked


def decode(path: Path) -> Int16[np.ndarray, " samples"]:
    """One headerless G.722 file as 16 kHz samples, cut to whole hops; nothing for an empty file."""
    if path.stat().st_size == 0:
        return np.zeros(0, np.int16)
    with av.open(str(path), format="g722") as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    return samples[: len(samples) // HOP * HOP]


def assign(index: int, language: str, everyone: bool) -> str:
    """The split of the `index`-th clip of a language; with `everyone` no speaker is left out."""
    if language == STRANGER and not everyone:
        return "stranger"
    return "heldout" if index % HELD_OUT_EVERY == HELD_OUT_EVERY // 2 else "train"


def gather(unpacked: Path, folder: Path, everyone: bool = False) -> None:
    """Decode every clip of PACKAGES and write one array a split to `folder`; silence and empty files stay out."""
    sounds = unpacked / "usr/share/asterisk/sounds"
    clips: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    starts: dict[str, list[int]] = {split: [] for split in SPLITS}
    for language in LANGUAGES:
        paths = sorted(path for path in sounds.glob(f"{language}_*/**/*.g722") if "silence" not in path.parts)
        decoded = [samples for path in paths if len(samples := decode(path))]
        for split in SPLITS:
            chosen = [clip for i, clip in enumerate(decoded) if assign(i, language, everyone) == split]
            if chosen:
                starts[split].append(sum(map(len, clips[split])) // HOP)
            clips[split] += chosen
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        if clips[split]:
            np.save(folder / f"{split}.npy", np.concatenate(clips[split]))
            np.save(folder / f"{split}_starts.npy", np.array(starts[split]))


def load(folder: Path, split: str) -> Speech:
    """A split as `gather` left it, mapped from disk."""
    samples = np.load(folder / f"{split}.npy", mmap_mode="r")
    return Speech(samples, tuple(int(start) for start in np.load(folder / f"{split}_starts.npy")))
