"""The bundled clips: each loads, and its labels tile it and lie on the sound."""

import itertools
import re
from importlib import resources

import numpy as np
import pytest

from wavlm_explorer.samples import SAMPLES, load_sample, sample_names, sample_textgrid

Tier = list[tuple[float, float, str]]
NAMES = ["sentence", "two_voices", "vowels", "pause", "noise"]


def tiers(name: str) -> dict[str, Tier]:
    """Tier name -> (start, end, label) of its intervals, read without the project's own reader."""
    found = {}
    for part in re.split(r"item \[\d+\]:", sample_textgrid(name))[1:]:
        rows = re.findall(r'xmin = (\S+)\s+xmax = (\S+)\s+text = "(.*)"', part)
        assert len(rows) == int(re.findall(r"intervals: size = (\d+)", part)[0])
        found[re.findall(r'name = "(.*)"', part)[0]] = [(float(start), float(end), label) for start, end, label in rows]
    return found


def test_the_names_are_the_files():
    folder = resources.files("wavlm_explorer") / "assets" / "clips"
    files = {path.name for path in folder.iterdir()}
    assert files == {f"{name}.{ending}" for name in NAMES for ending in ("flac", "TextGrid")}
    assert sample_names() == NAMES
    assert sum(len((folder / file).read_bytes()) for file in files) < 700_000


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_loads_and_says_what_to_look_for(name):
    audio = load_sample(name)
    assert (audio.name, audio.start) == (name, 0.0)
    assert 3 < audio.duration < 6
    assert 20 * np.log10(audio.peak) == pytest.approx(-3, abs=0.01)
    assert SAMPLES[name].title
    assert SAMPLES[name].look_for.endswith((".", "?"))


@pytest.mark.parametrize("name", NAMES)
def test_labels_tile_the_sound_exactly(name):
    found = tiers(name)
    assert list(found) == ["phones", "words"]
    for intervals in found.values():
        assert intervals[0][0] == 0
        assert intervals[-1][1] == load_sample(name).duration
        assert all(before[1] == after[0] for before, after in itertools.pairwise(intervals))
        assert all(end - start > 0.005 for start, end, _ in intervals)
        assert sum(bool(label) for _, _, label in intervals) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_words_begin_and_end_with_phones(name):
    found = tiers(name)
    starts = {start for start, _, label in found["phones"] if label}
    ends = {end for _, end, label in found["phones"] if label}
    for start, end, label in found["words"]:
        assert not label or (start in starts and end in ends)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "noise"])
def test_phones_are_heard_and_silences_are_not(name):
    samples = load_sample(name).samples
    checked = 0
    for start, end, label in tiers(name)["phones"]:
        first, last = round(start * 16_000), round(end * 16_000)
        if label:
            assert np.abs(samples[first:last]).max() > 0.003, (start, label)
        elif last - first > 640:  # what rings on for 10 ms on either side is no phone
            checked += 1
            assert np.abs(samples[first + 160 : last - 160]).max() < 0.003, start
    assert checked >= 2


def test_a_sibilant_is_high_where_its_label_is():
    """In the sentence, the power of an s lies above 3 kHz, that of a vowel below: labels shifted by 40 ms fail."""
    samples = load_sample("sentence").samples
    heard = []
    for start, end, label in tiers("sentence")["phones"]:
        part = samples[round(start * 16_000) : round(end * 16_000)]
        power = np.abs(np.fft.rfft(part)) ** 2
        high = power[np.fft.rfftfreq(len(part), 1 / 16_000) > 3000].sum() / power.sum()
        if label in ("s", "\u0251\u02d0", "\u026a", "\u025b", "e\u026a"):  # s, and the vowels of fox, six, them, lazy
            heard.append(label)
            assert high > 0.85 if label == "s" else high < 0.1, (start, label)
    assert heard.count("s") >= 3
    assert len(set(heard)) == 5


@pytest.mark.parametrize("read", [load_sample, sample_textgrid])
def test_other_names_are_refused(read):
    with pytest.raises(ValueError, match=r"expected one of sentence, two_voices, .*, found '\.\./nano'"):
        read("../nano")
