"""Make the sample clips: `python -m training.clips` writes a FLAC file and a Praat TextGrid for each.

The speech is synthetic, so that every phone's time is known and nobody's voice or licence is involved. Labels are IPA.
eSpeak NG 1.51 made the bundled clips.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np

from training.synthesizer import SAMPLE_RATE, Clip, Interval, Synthesizer

FOLDER = Path(__file__).parent.parent / "wavlm_explorer" / "assets" / "clips"
PEAK = 10 ** (-3 / 20)  # -3 dBFS
NOISE_DECIBELS = 6.0  # speech over noise
SEED = 1


def silence(seconds: float) -> Clip:
    """Nothing, for so long."""
    return Clip(np.zeros(round(seconds * SAMPLE_RATE), np.float32))


def sentence(synthesizer: Synthesizer) -> Clip:
    """Sibilants, stops and vowels of every kind, close together."""
    text = "The quick brown fox jumps over six lazy dogs, and she watches them."
    return silence(0.15) + synthesizer.speak(text) + silence(0.15)


def two_voices(synthesizer: Synthesizer) -> Clip:
    """The same words, low and high."""
    text = "Good morning, Susan."
    low = synthesizer.speak(text, voice="en-us", pitch=20)
    high = synthesizer.speak(text, voice="en-us+f1", pitch=75)
    return silence(0.15) + low + silence(0.3) + high + silence(0.15)


def vowels(synthesizer: Synthesizer) -> Clip:
    """Each on its own, so that its word is the vowel itself."""
    clip = silence(0.15)
    for vowel in ("i:", "e", "a", "A:", "O:", "u:", "3:"):
        clip += synthesizer.speak(f"[['{vowel}]]", speed=90) + silence(0.08)
    return Clip(clip.samples, clip.phones, clip.phones)


def pause(synthesizer: Synthesizer) -> Clip:
    """Two phrases, a second of silence between them."""
    before = synthesizer.speak("She opened the door.")
    after = synthesizer.speak("Nobody was there.")
    return silence(0.15) + before + silence(1.0) + after + silence(0.15)


def noise(synthesizer: Synthesizer) -> Clip:
    """White noise throughout, half a second of it alone at either end."""
    clip = silence(0.5) + synthesizer.speak("Speak slowly, so that they catch each word.") + silence(0.5)
    hiss = np.random.default_rng(SEED).standard_normal(len(clip.samples)).astype(np.float32)
    ratio = 10 ** (NOISE_DECIBELS / 20)
    return Clip(clip.samples + hiss * clip.samples.std() / ratio, clip.phones, clip.words)


CLIPS: dict[str, Callable[[Synthesizer], Clip]] = {
    "sentence": sentence,
    "two_voices": two_voices,
    "vowels": vowels,
    "pause": pause,
    "noise": noise,
}


def tiled(tier: Iterable[Interval], duration: float) -> list[Interval]:
    """The intervals with the gaps between them filled by empty ones, from 0 to `duration` seconds."""
    filled, end = [], 0.0
    for interval in [*tier, Interval(duration, duration, "")]:
        if interval.start > end:
            filled.append(Interval(end, interval.start, ""))
        if interval.end > interval.start:
            filled.append(interval)
        end = interval.end
    return filled


def textgrid(clip: Clip) -> str:
    """The tiers "phones" and "words" in Praat's long text format; seven decimals hold a sample's time exactly.

    Source: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
    """
    duration = len(clip.samples) / SAMPLE_RATE
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {duration:.7f}"]
    lines += ["tiers? <exists>", "size = 2", "item []:"]
    for number, (name, tier) in enumerate({"phones": clip.phones, "words": clip.words}.items(), start=1):
        intervals = tiled(tier, duration)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {duration:.7f}", f"        intervals: size = {len(intervals)}"]
        for index, interval in enumerate(intervals, start=1):
            lines += [f"        intervals [{index}]:", f"            xmin = {interval.start:.7f}"]
            lines += [f"            xmax = {interval.end:.7f}", f'            text = "{interval.label}"']
    return "\n".join(lines) + "\n"


def write_flac(path: Path, samples: np.ndarray) -> None:
    """[samples] float32 -> 16 bits, mono, 16 kHz."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        whole = np.round(samples * 32767).astype(np.int16)[None]
        for begin in range(0, whole.shape[1], 4096):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole[:, begin : begin + 4096]), "s16", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    """Write every clip and its labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write (default: the bundled clips)")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    synthesizer = Synthesizer()
    for name, make in CLIPS.items():
        clip = make(synthesizer)
        write_flac(folder / f"{name}.flac", clip.samples * (PEAK / np.abs(clip.samples).max()))
        (folder / f"{name}.TextGrid").write_text(textgrid(clip), encoding="utf-8")
        print(f"{name}: {len(clip.samples) / SAMPLE_RATE:.2f} s, {len(clip.phones)} phones, {len(clip.words)} words")


if __name__ == "__main__":
    main()
