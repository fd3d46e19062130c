"""Labels of one line each: Audacity's label tracks, and NIST's CTM, which speech recognisers write."""

from collections import defaultdict

from .track import (
    MAX_INTERVALS,
    MAX_TRACKS,
    Interval,
    LabelError,
    LabelTrack,
    make_interval,
    make_track,
    quoted,
    to_seconds,
)  # fmt: skip

AUDACITY_TRACK = "labels"  # the file does not say what its track is called
CTM_COMMENT = ";;"


def read_audacity(content: str) -> list[LabelTrack]:
    r"""Read lines of start, end and label, separated by tabs; a line that starts with a backslash holds frequencies.

    Raises: LabelError.
    Source: Audacity's manual, "Importing and Exporting Labels".
    """
    intervals: list[Interval] = []
    for number, line in _lines(content):
        if line.startswith("\\"):
            continue
        fields = line.split("\t", 2)
        if len(fields) < 2:
            raise LabelError(f"line {number}: expected start, end and label, separated by tabs, found {quoted(line)}")
        start, end = to_seconds(fields[0].strip(), "a start", number), to_seconds(fields[1].strip(), "an end", number)
        intervals.append(make_interval(start, end, "".join(fields[2:]), number))
    return [make_track(AUDACITY_TRACK, intervals)]


def read_ctm(content: str) -> list[LabelTrack]:
    """Read lines of recording, channel, start, duration, token and perhaps more: a track for each channel.

    Raises: LabelError.
    Source: NIST's scoring toolkit (SCTK), "ctm file format".
    """
    channels: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for number, line in _lines(content):
        if line.startswith(CTM_COMMENT):
            continue
        fields = line.split()
        if len(fields) < 5:
            what = "recording, channel, start, duration and token"
            raise LabelError(f"line {number}: expected {what}, found {quoted(line)}")
        start, duration = to_seconds(fields[2], "a start", number), to_seconds(fields[3], "a duration", number)
        channels[fields[0], fields[1]].append(make_interval(start, start + duration, fields[4], number))
        if len(channels) > MAX_TRACKS:
            raise LabelError(f"line {number}: expected at most {MAX_TRACKS} recordings and channels; keep this sound's")
    recordings = [recording for recording, _ in channels]
    return [
        make_track(recording if recordings.count(recording) == 1 else f"{recording} {channel}", intervals)
        for (recording, channel), intervals in channels.items()
    ]


def is_audacity(line: str) -> bool:
    """Whether a line is a label of Audacity's: two numbers, and a label or none, separated by tabs."""
    fields = line.split("\t")
    return 2 <= len(fields) <= 3 and all(_is_number(field.strip()) for field in fields[:2])


def is_ctm(line: str) -> bool:
    """Whether a line is one of a CTM: five fields or more, of which the third and fourth are numbers."""
    fields = line.split()
    return len(fields) >= 5 and all(_is_number(field) for field in fields[2:4])


def _is_number(text: str) -> bool:
    try:
        to_seconds(text, "", 0)
    except LabelError:
        return False
    return True


def _lines(content: str) -> list[tuple[int, str]]:
    """The lines that say something, and their numbers from 1.

    Raises: LabelError for too many.
    """
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    if len(lines) > MAX_INTERVALS:
        raise LabelError(f"expected at most {MAX_INTERVALS} lines, found {len(lines)}; keep those of this sound")
    return lines
