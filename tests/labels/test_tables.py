"""Audacity's labels and CTMs, and how the kinds of files are told apart."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavlm_explorer import Interval, LabelError, LabelTrack, load_labels

AUDACITY = "0.25\t0.5\tfirst\n\\\t100.0\t2000.0\n0.75\t0.75\ta point\n1.0\t2.5\n"
AUDACITY_TRACK = LabelTrack(
    "labels", (Interval(0.25, 0.5, "first"), Interval(0.75, 0.75, "a point"), Interval(1, 2.5, ""))
)
CTM = """;; recognised
call A 0.50 0.25 world 0.9
call A 0.25 0.25 hello
call B 1 .5 yes 1.0 lex speaker
note 1 0 1 hm
"""


def test_audacity_labels_load():
    assert load_labels(AUDACITY.encode()) == (AUDACITY_TRACK,)
    assert load_labels(AUDACITY.replace("\n", "\r\n").encode("utf-8-sig")) == (AUDACITY_TRACK,)


def test_a_ctm_gives_a_track_for_each_channel():
    assert load_labels(CTM.encode()) == (
        LabelTrack("call A", (Interval(0.25, 0.5, "hello"), Interval(0.5, 0.75, "world"))),
        LabelTrack("call B", (Interval(1, 1.5, "yes"),)),
        LabelTrack("note", (Interval(0, 1, "hm"),)),
    )


def test_kinds_are_told_by_content():
    assert load_labels(b"12\t1\t0.5\t0.25\tword\n") == (LabelTrack("12", (Interval(0.5, 0.75, "word"),)),)
    assert load_labels(b"0.5\t1\ta b c d\n") == (LabelTrack("labels", (Interval(0.5, 1, "a b c d"),)),)


def test_paths_bytes_and_files_are_read(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text(AUDACITY)
    with path.open("rb") as file:
        assert load_labels(path) == load_labels(str(path)) == load_labels(file) == load_labels(AUDACITY.encode())
    with pytest.raises(FileNotFoundError):
        load_labels(tmp_path / "nothing")
    with pytest.raises(TypeError, match="expected a path, bytes or a file opened in binary mode, found StringIO"):
        load_labels(io.StringIO(AUDACITY))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "labels: expected a TextGrid, Audacity labels (start, end, label) or a CTM, found ''"),
        (b"dear diary\n", "found 'dear diary'"),
        (b"ooBinaryFile\x08TextGrid\0\0", "found a binary TextGrid; save it as a text file in Praat"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10", "expected a TextGrid"),
        (b"0\t1\ta\n2\tnever\tb\n", "labels: line 2: expected an end in seconds, found 'never'"),
        (b"0\t1\ta\n2\t1\tb\n", "line 2: expected an end at or after the start (2 s), found 1 s"),
        (b"0\t1\ta\n\n3 4 b\n", "line 3: expected start, end and label, separated by tabs, found '3 4 b'"),
        (b"call A 0 1 a\ncall A one 1 b", "line 2: expected a start in seconds, found 'one'"),
        (b"call A 0 1 a\ncall A 1 -1 b", "line 2: expected an end at or after the start (1 s), found 0 s"),
        (b"call A 0 1 a\ncall A 1 1", "line 2: expected recording, channel, start, duration and token"),
        (b"".join(b"%d A 0 1 a\n" % recording for recording in range(65)), "line 65: expected at most 64 recordings"),
        (b"0\t1\ta\n" * 200_001, "expected at most 200000 lines, found 200001"),
        (b"0\t1\t" + b"a" * (16 << 20), "expected at most 16 MB of labels, found more"),
        (b"\xff\xfe0", "expected UTF-16, as its first bytes say, found damage at byte 2"),
        (b"0\t1_0\ta\n", "found '0\\t1_0\\ta'"),
    ],
)  # fmt: skip
def test_what_is_no_label_is_refused_with_a_reason(content, message):
    with pytest.raises(LabelError) as caught:
        load_labels(content)
    assert message in str(caught.value)


@given(st.binary(max_size=200) | st.text("0123456789.\t\n \\abce;-", max_size=200).map(str.encode))
def test_any_bytes_give_labels_or_a_label_error(content):
    try:
        tracks = load_labels(content)
    except LabelError:
        return
    for track in tracks:
        assert list(track.intervals) == sorted(track.intervals, key=lambda interval: interval[:2])
        assert all(interval.start <= interval.end for interval in track.intervals)
