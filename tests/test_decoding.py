"""Files of every kind, made here with PyAV: when their sound is, what is wrong with them, and that nothing leaks."""

import io
from typing import Any

import av
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from wavlm_explorer.audio import AudioError, audio_duration, load_audio

RATE = 44_100
CLICKS = (1.0, 2.5)  # seconds
SECONDS = 4.0

# container, codec, and how far from its true place, in ms, a click may be heard. Measured with these encoders:
# 0.02 at most, of which 0.01 is the half sample by which an even burst misses its centre. A raw aac stream does not
# declare its encoder's delay of 1024 samples, so no program can know of it: 23.2.
FORMATS = {
    "wav": ("wav", "pcm_s16le", 0.05),
    "aiff": ("aiff", "pcm_s16be", 0.05),
    "flac": ("flac", "flac", 0.05),
    "mp3": ("mp3", "libmp3lame", 0.2),
    "m4a": ("ipod", "aac", 0.2),
    "mp4": ("mp4", "aac", 0.2),
    "ogg": ("ogg", "vorbis", 0.2),
    "opus": ("ogg", "libopus", 0.2),
    "webm": ("webm", "libopus", 0.2),
    "mkv": ("matroska", "flac", 0.2),
    "aac": ("adts", "aac", 23.5),
}


def draw(output: Any, picture: Any) -> None:
    """A second of black video."""
    for index in range(10):
        image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        image.pts = index
        output.mux(picture.encode(image))
    output.mux(picture.encode())


def encode(
    channels: np.ndarray, rate: int, container: str, codec: str, lead: float = 0.0, video: bool = False
) -> bytes:
    """[channels, samples] float32 -> a file; its sound begins `lead` seconds after its start."""
    file = io.BytesIO()
    channels = (
        np.repeat(channels, 2, axis=0) if codec == "vorbis" else channels
    )  # this encoder makes nothing but stereo
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    with av.open(file, "w", format=container) as output:
        picture = output.add_stream("mpeg4", rate=10, width=16, height=16, pix_fmt="yuv420p") if video else None
        sound: Any = output.add_stream(codec, rate=48_000 if codec == "libopus" else rate, layout=layout)
        sound.codec_context.options = {"strict": "experimental"} if codec == "vorbis" else {}
        if picture is not None:
            draw(output, picture)
        for begin in range(0, channels.shape[1], 1024):
            part = np.ascontiguousarray(channels[:, begin : begin + 1024], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, begin + round(lead * rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode())
    return file.getvalue()


def clicks() -> np.ndarray:
    """[1, samples] float32: silence, and a 9 ms tone burst centred on each time in CLICKS."""
    samples = np.random.default_rng(0).normal(0, 1e-4, round(SECONDS * RATE))
    burst = 0.7 * np.sin(2 * np.pi * 2000 * np.arange(400) / RATE) * np.hanning(400)
    for time in CLICKS:
        begin = round(time * RATE) - 200
        samples[begin : begin + 400] += burst
    return samples[None].astype(np.float32)


def heard(samples: np.ndarray, start: float, near: float) -> float:
    """The centre of the energy within 0.2 s of a time, in seconds from the start of the file."""
    times = start + np.arange(len(samples)) / 16_000
    energy = np.where(np.abs(times - near) < 0.2, samples.astype(float) ** 2, 0)
    return float(energy @ times / energy.sum())


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: encode(clicks(), RATE, container, codec) for name, (container, codec, _) in FORMATS.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_a_click_is_heard_when_it_was_made(files, name):
    tolerance = FORMATS[name][2] / 1000
    whole = load_audio(files[name])
    window = load_audio(files[name], start=2.3, duration=0.5)
    assert whole.duration == pytest.approx(SECONDS, abs=0.05)
    for time in CLICKS:
        assert abs(heard(whole.samples, 0.0, time) - time) < tolerance
    assert window.duration == 0.5
    assert abs(heard(window.samples, window.start, 2.5) - 2.5) < tolerance


@pytest.mark.parametrize("name", FORMATS)
def test_a_window_holds_what_the_whole_file_holds_there(files, name):
    whole = load_audio(files[name]).samples
    for start, duration in ((0.0, 1.0), (0.0501, 0.03), (0.987654, 0.3), (2.45, None)):
        part = load_audio(files[name], start=start, duration=duration)
        first = round(start * 16_000)
        expected = whole[first:] if duration is None else whole[first : first + round(duration * 16_000)]
        assert part.start == first / 16_000
        assert part.samples.shape == expected.shape
        np.testing.assert_allclose(part.samples, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_099, 48_000, 96_000, 192_000])
def test_resampling_is_soxr_of_the_whole_sound(rate):
    noise = np.random.default_rng(rate).uniform(-0.5, 0.5, (1, rate * 2)).astype(np.float32)
    data = encode(noise, rate, "wav", "pcm_f32le")
    expected = soxr.resample(noise[0], rate, 16_000)
    np.testing.assert_allclose(load_audio(data).samples, expected, atol=1e-6)
    np.testing.assert_allclose(load_audio(data, 1.2345, 0.5).samples, expected[19_752 : 19_752 + 8000], atol=1e-6)


@pytest.mark.parametrize(
    ("container", "codec", "step"),
    [
        *(("wav", "pcm_u8", 2**-7), ("wav", "pcm_s16le", 2**-15), ("wav", "pcm_s24le", 2**-23)),
        *(("wav", "pcm_s32le", 2**-24), ("wav", "pcm_f32le", 0), ("wav", "pcm_f64le", 0)),
        *(("aiff", "pcm_s24be", 2**-23), ("w64", "pcm_s16le", 2**-15), ("caf", "pcm_s16be", 2**-15)),
        *(("au", "pcm_mulaw", 0.02), ("flac", "flac", 2**-15)),
    ],
)
def test_every_sample_type_is_scaled_by_full_scale_and_channels_are_averaged(container, codec, step):
    left, right = np.random.default_rng(1).uniform(-0.9, 0.9, (2, 8000)).astype(np.float32)
    samples = load_audio(encode(np.stack([left, right]), 16_000, container, codec)).samples
    assert np.abs(samples - (left + right) / 2).max() <= 1.01 * step + 1e-7


def test_eight_planar_channels_are_read():
    """PyAV's own conversion reads past the planes of such a frame (7.1 sound), and crashes."""
    file = io.BytesIO()
    with av.open(file, "w", format="ipod") as output:
        stream: Any = output.add_stream("aac", rate=RATE, layout="7.1")
        packed = np.repeat(clicks().T, 8, axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="7.1")
        frame.sample_rate, frame.pts = RATE, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    samples = load_audio(file.getvalue()).samples
    for time in CLICKS:
        assert abs(heard(samples, 0.0, time) - time) < 0.0005


def test_louder_than_full_scale_stays_so():
    loud = np.full((1, 8000), 1.5, np.float32)
    assert load_audio(encode(loud, 16_000, "wav", "pcm_f32le")).peak == 1.5


def test_the_sound_of_a_video_begins_where_the_video_has_it():
    data = encode(clicks(), RATE, "matroska", "flac", lead=0.7, video=True)
    audio = load_audio(data, duration=4.0)
    assert abs(heard(audio.samples, 0.0, 1.7) - 1.7) < 0.002
    assert audio_duration(data) == pytest.approx(4.7, abs=0.05)


def test_missing_packets_are_silence():
    with av.open(io.BytesIO(encode(clicks(), RATE, "matroska", "libopus")), "r") as source:
        template = source.streams.audio[0]
        packets = [packet for packet in source.demux(template) if packet.size]
        kept = [packet for packet in packets if not 1200 < (packet.pts or 0) < 2000]  # in ms
        assert 0 < len(kept) < len(packets)
        file = io.BytesIO()
        with av.open(file, "w", format="matroska") as output:
            stream = output.add_stream_from_template(template)
            for packet in kept:
                packet.stream = stream
                output.mux(packet)
    audio = load_audio(file.getvalue())
    assert abs(heard(audio.samples, 0.0, 2.5) - 2.5) < 0.002
    assert np.abs(audio.samples[20_000:31_000]).max() < 1e-3


@pytest.mark.parametrize("name", FORMATS)
def test_duration_without_decoding(files, name):
    assert audio_duration(files[name]) == pytest.approx(SECONDS, abs=0.1)


def test_duration_of_a_recording_without_a_length_counts_its_packets(files):
    pipe = io.BytesIO()
    with (
        av.open(io.BytesIO(files["webm"]), "r") as source,
        av.open(pipe, "w", format="webm", options={"live": "1"}) as live,
    ):
        template = source.streams.audio[0]
        stream = live.add_stream_from_template(template)
        for packet in source.demux(template):
            if packet.size:
                packet.stream = stream
                live.mux(packet)
    assert av.open(io.BytesIO(pipe.getvalue()), "r").duration is None
    assert audio_duration(pipe.getvalue()) == pytest.approx(SECONDS, abs=0.03)
    with pytest.raises(AudioError, match="at most 2 s at once, found a sound longer than that"):
        load_audio(pipe.getvalue(), max_seconds=2.0)


def silent_video() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        draw(output, output.add_stream("mpeg4", rate=10, width=16, height=16, pix_fmt="yuv420p"))
    return file.getvalue()


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"this is a text, not a sound\n" * 50, "none of these or is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "none of these or is damaged"),
        (PLAYLIST, "none of these or is damaged"),
        (b"RIFF\x24\0\0\0WAVE", "none of these or is damaged|nothing that can be decoded"),
        (silent_video(), "expected an audio track, found video"),
    ],
)
def test_what_is_no_sound_is_refused(data, message, capfd):
    for use in (load_audio, audio_duration):
        with pytest.raises(AudioError, match=message):
            use(data)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["wav", "flac", "mp3", "ogg", "opus", "webm", "aac"])
def test_a_file_cut_short_gives_what_there_is(files, name):
    whole = load_audio(files[name])
    part = load_audio(files[name][: len(files[name]) // 2])
    assert 0.2 < part.duration / whole.duration < 0.7  # Ogg is cut to a page of 1 s
    safe = len(part.samples) - 2000
    np.testing.assert_allclose(part.samples[:safe], whole.samples[:safe], atol=1e-4)


def test_a_file_cut_before_its_index_is_refused(files):
    with pytest.raises(AudioError, match="damaged"):
        load_audio(files["m4a"][: len(files["m4a"]) // 2])


def test_not_finite_samples_in_a_file_are_refused():
    samples = np.zeros((1, 8000), np.float32)
    samples[0, 4000] = np.nan
    with pytest.raises(AudioError, match="NaN or infinite"):
        load_audio(encode(samples, 16_000, "wav", "pcm_f32le"))


def loads_or_refuses(data: bytes) -> bool:
    """Whether a file loads; anything but AudioError, or a sound that breaks its promises, fails the test."""
    try:
        audio_duration(data)
        audio = load_audio(data, start=0.1, duration=0.5)
    except AudioError:
        return False
    assert 400 <= len(audio.samples) <= 8000
    assert np.isfinite(audio.samples).all()
    return True


FUZZ = settings(max_examples=100, deadline=None, database=None, derandomize=True)
SHORT = {
    name: encode(clicks()[:, RATE : RATE + RATE // 2], RATE, container, codec)
    for name, (container, codec, _) in FORMATS.items()
}


@FUZZ
@given(st.binary(max_size=600), st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"FORM"]))
def test_random_bytes_raise_nothing_else(data, magic):
    loads_or_refuses(magic + data)


@FUZZ
@given(
    st.sampled_from(sorted(SHORT)), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=20), st.data()
)
def test_damaged_files_raise_nothing_else(name, flips, data):
    damaged = bytearray(SHORT[name])
    for place, bits in flips:  # half of them in the header, where they do most harm
        span = len(damaged) if bits % 2 else min(400, len(damaged))
        damaged[int(place * (span - 1))] ^= bits
    keep = data.draw(st.integers(1, len(damaged)))
    loads_or_refuses(bytes(damaged[: keep if keep % 3 == 0 else len(damaged)]))


def test_the_fuzzed_files_load_when_whole():
    assert all(loads_or_refuses(data) for data in SHORT.values())
