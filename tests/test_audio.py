"""`Audio` and the arguments of `load_audio`; the formats themselves are tested in test_decoding.py."""

import io
import subprocess
import sys
import wave
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import soxr
import torch

from wavlm_explorer.audio import Audio, AudioError, audio_duration, load_audio

SECOND = 16_000  # samples
SPEECH = Path("/usr/share/pocketsphinx/test/data/goforward.raw")  # int16 at 16 kHz; tested where it is installed


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


def wav(samples: np.ndarray, rate: int = SECOND) -> bytes:
    """[samples] in -1 to 1 -> a file of 16 bits, written without our decoder's library."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(rate)
        output.writeframes(np.round(samples * 32768).astype("<i2").tobytes())
    return file.getvalue()


def test_the_properties_of_a_sound():
    samples = noise(SECOND)
    samples[7] = -0.75
    audio = Audio(samples, name="word", start=1.5)
    assert (audio.sample_rate, audio.name, audio.start, audio.duration, audio.peak) == (SECOND, "word", 1.5, 1.0, 0.75)
    assert not audio.is_silent
    assert Audio(np.zeros(400, np.float32)).is_silent
    assert Audio(np.full(400, -0.9e-4, np.float32)).is_silent
    assert not Audio(np.full(400, -1.1e-4, np.float32)).is_silent


def test_a_sound_cannot_be_changed():
    samples = noise(SECOND)
    audio = Audio(samples)
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1
    with pytest.raises(FrozenInstanceError):
        audio.start = 1.0  # pyright: ignore[reportAttributeAccessIssue]
    before = audio.samples[0]
    samples[0] = 9
    assert audio.samples[0] == before
    assert audio.samples.flags.c_contiguous


def test_a_digest_tells_sounds_and_starts_apart():
    samples = noise(SECOND)
    changed = samples.copy()
    changed[-1] += 1e-6
    sounds = [Audio(samples), Audio(samples, start=0.5), Audio(changed), Audio(samples[:-1])]
    assert len({audio.digest for audio in sounds}) == 4
    assert Audio(samples, name="other").digest == sounds[0].digest
    assert len(sounds[0].digest) == 32


@pytest.mark.parametrize(
    ("samples", "fields", "message"),
    [
        (noise(399), {}, "at least 400 samples"),
        (noise(SECOND).astype(np.float64), {}, "found float64"),
        (noise(1, SECOND), {}, "from_samples"),
        (noise(SECOND), {"sample_rate": 8000}, "expected 16000 Hz, found 8000"),
        (noise(SECOND), {"start": -1.0}, "start: expected a number of seconds of 0 or more"),
        (np.append(noise(SECOND), np.float32(np.nan)), {}, "found 1 that are NaN or infinite"),
    ],
)
def test_what_is_no_sound_is_refused(samples, fields, message):
    with pytest.raises(AudioError, match=message):
        Audio(samples, **fields)


@pytest.mark.parametrize(
    ("dtype", "lowest", "middle", "highest"),
    [
        (np.uint8, 0, 128, 255),
        (np.int8, -128, 0, 127),
        (np.int16, -32768, 0, 32767),
        (np.uint16, 0, 32768, 65535),
        (np.int32, -(2**31), 0, 2**31 - 1),
    ],
)
def test_integers_are_scaled_by_full_scale(dtype, lowest, middle, highest):
    samples = np.repeat(np.array([lowest, middle, highest], dtype), 200)
    found = Audio.from_samples(samples, SECOND).samples
    assert (found[0], found[200]) == (-1.0, 0.0)
    assert found[400] == np.float32(1 - 2 / (float(highest) - lowest + 1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_stay_as_they_are(dtype):
    samples = 3 * noise(SECOND).astype(dtype)
    np.testing.assert_array_equal(Audio.from_samples(samples, SECOND).samples, samples.astype(np.float32))


@pytest.mark.parametrize("view", [np.asarray, np.ndarray.tolist, torch.tensor, lambda array: array[:, ::-1][:, ::-1]])
def test_channels_are_averaged_whatever_holds_them(view):
    channels = noise(2, SECOND)
    found = Audio.from_samples(view(channels), SECOND).samples
    np.testing.assert_allclose(found, (channels[0] + channels[1]) / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 44_100.0, np.int64(96_000)])
def test_other_rates_are_resampled(rate):
    samples = noise(int(rate))
    found = Audio.from_samples(samples, sample_rate=rate, name="n", start=2.0)
    np.testing.assert_array_equal(found.samples, soxr.resample(samples, rate, SECOND))
    assert (found.duration, found.name, found.start) == (1.0, "n", 2.0)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (noise(SECOND, 2), SECOND, r"pass array\.T"),
        (noise(65, SECOND), SECOND, "at most 64 channels"),
        (noise(2, 2, SECOND), SECOND, r"found \[2, 2, 16000\]"),
        (np.float32(0.5), SECOND, r"found \[\]"),
        (noise(0), SECOND, r"found \[0\]"),
        (noise(2, 0), SECOND, r"found \[2, 0\]"),
        (np.zeros(SECOND, bool), SECOND, "found bool"),
        (np.zeros(SECOND, complex), SECOND, "found complex128"),
        (np.zeros(SECOND, object), SECOND, "found object"),
        (np.zeros(SECOND, np.int64), SECOND, "64-bit integer"),
        (["a", "b"], SECOND, "found <U1"),
        ([[1.0], [1.0, 2.0]], SECOND, "expected an array of numbers, found list"),
        (torch.zeros(SECOND, requires_grad=True), SECOND, "detach"),
        (np.full(SECOND, np.inf), SECOND, "16000 that are NaN or infinite"),
        (np.full(SECOND, 1e300), SECOND, "16000 that are NaN or infinite"),
        (np.full(44_100, np.nan), 44_100, "NaN or infinite"),
        (noise(1000), 48_000, "found 333"),
        (noise(SECOND), 0, "1000 to 768000 samples a second, found 0"),
        (noise(SECOND), 1_000_000, "found 1000000"),
        (noise(SECOND), 44_100.5, "whole number"),
        (noise(SECOND), float("nan"), "whole number"),
        (noise(SECOND), "16000", "whole number"),
        (noise(SECOND), True, "whole number"),
    ],
)
def test_arrays_that_are_no_sound_are_refused(samples, rate, message):
    with pytest.raises(AudioError, match=message):
        Audio.from_samples(samples, rate)


def test_paths_bytes_and_files_load_the_same(tmp_path):
    samples = noise(SECOND)
    data, path = wav(samples), tmp_path / "a word.wav"
    path.write_bytes(data)
    read_already = io.BytesIO(data)
    read_already.read()
    with path.open("rb") as file:
        sources = [str(path), path, data, bytearray(data), read_already, file]
        loaded = [load_audio(source) for source in sources]
        assert [audio_duration(source) for source in sources] == [1.0] * 6
    assert [audio.name for audio in loaded] == ["a word.wav", "a word.wav", "sound", "sound", "sound", "a word.wav"]
    for audio in loaded:
        np.testing.assert_allclose(audio.samples, samples, atol=2**-16)


def test_a_pipe_is_read_to_its_end():
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert load_audio(Pipe(wav(noise(SECOND)))).duration == 1.0


@pytest.mark.parametrize("load", [load_audio, audio_duration])
def test_a_source_that_cannot_be_read_keeps_its_own_error(load, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.wav")
    with pytest.raises(FileNotFoundError):
        load("https://example.org/sound.wav")
    for source in (io.StringIO("text"), None, 7):
        with pytest.raises(TypeError, match="expected a path, bytes or a file opened in binary mode"):
            load(source)


def test_the_part_asked_for_is_loaded():
    samples = np.round(noise(4 * SECOND) * 32768) / 32768
    data = wav(samples)
    part = load_audio(data, start=1.25, duration=0.5)
    np.testing.assert_array_equal(part.samples, samples[20_000:28_000])
    assert (part.start, part.duration) == (1.25, 0.5)
    np.testing.assert_array_equal(load_audio(data, start=3.0).samples, samples[48_000:])
    np.testing.assert_array_equal(load_audio(data, start=3.5, duration=9.0).samples, samples[56_000:])
    np.testing.assert_array_equal(load_audio(data, duration=4.0, max_seconds=4.0).samples, samples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 4.0}, r"start is 4 s, but the sound ends at 4\.000 s"),
        ({"start": 1e8}, r"the sound ends at 4\.000 s"),
        ({"start": 3.99}, r"found 160 \(10\.0 ms\)"),
        ({"duration": 0.02}, r"found 320 \(20\.0 ms\)"),
        ({"start": -0.1}, r"start: expected a number of seconds of 0 or more, found -0\.1"),
        ({"start": float("nan")}, "start: expected"),
        ({"start": "1"}, "start: expected"),
        ({"duration": 0}, "duration: expected a number of seconds above 0, found 0"),
        ({"duration": float("inf")}, "duration: expected"),
        ({"max_seconds": 0}, "max_seconds: expected"),
        ({"max_seconds": 3.9}, r"at most 3\.9 s at once, found a sound 4\.0 s long; choose a part"),
        ({"duration": 3.0, "max_seconds": 2.0}, "at most 2 s at once"),
    ],
)
def test_parts_that_do_not_exist_or_are_too_long_are_refused(arguments, message):
    with pytest.raises(AudioError, match=message):
        load_audio(wav(noise(4 * SECOND)), **arguments)


def test_a_limit_holds_for_what_is_returned_not_for_the_file():
    data = wav(noise(4 * SECOND))
    assert load_audio(data, start=1.0, duration=1.0, max_seconds=1.0).duration == 1.0
    assert load_audio(data, start=2.5, max_seconds=2.0).duration == 1.5
    assert load_audio(data, duration=100.0, max_seconds=5.0).duration == 4.0


@pytest.mark.skipif(not SPEECH.exists(), reason="needs Debian's pocketsphinx-testdata")
def test_real_speech_survives():
    speech = np.fromfile(SPEECH, "<i2")
    found = load_audio(wav(speech / 32768))
    np.testing.assert_array_equal(found.samples, Audio.from_samples(speech, SECOND).samples)
    assert found.duration == pytest.approx(2.78, abs=0.1)
    assert not found.is_silent


def test_nothing_heavy_is_imported():
    code = """
import sys, types
package = types.ModuleType("wavlm_explorer")  # its __init__ imports everything
package.__path__ = ["wavlm_explorer"]
sys.modules["wavlm_explorer"] = package
import wavlm_explorer.audio
assert not {"torch", "streamlit", "matplotlib", "scipy"} & set(sys.modules)
"""
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
