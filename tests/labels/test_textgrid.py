"""TextGrids in both text forms: Praat's rule for what counts, and a line number for what is wrong."""

import random

import pytest

from wavlm_explorer import Interval, LabelError, LabelTrack, load_labels
from wavlm_explorer.samples import sample_names, sample_textgrid

SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.5
<exists>
2
"IntervalTier"
"words"
0
1.5
2
0
0.5
"a ""quoted"" word"
0.5
1.5
""
"TextTier"
"beats"
0
1.5
1
0.75
"now"
"""
SHORT_TRACKS = (
    LabelTrack("words", (Interval(0, 0.5, 'a "quoted" word'), Interval(0.5, 1.5, ""))),
    LabelTrack("beats", (Interval(0.75, 0.75, "now"),)),
)
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "a ""quoted"" word" ! a remark with "quotes" and 3 numbers
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = ""
    item [2]:
        class = "TextTier"
        name = "beats"
        xmin = 0
        xmax = 1.5
        points: size = 1
        points [1]:
            number = 0.75
            mark = "now"
"""


@pytest.mark.parametrize("text", [LONG, SHORT, SHORT.replace("\n", " "), LONG.replace("\n", "\r\n")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_says_the_same(text, encoding):
    assert load_labels(text.encode(encoding)) == SHORT_TRACKS


@pytest.mark.parametrize("name", sample_names())
def test_the_bundled_labels_load(name):
    phones, words = load_labels(sample_textgrid(name).encode())
    assert (phones.name, words.name) == ("phones", "words")
    assert len(phones.intervals) == sample_textgrid(name).split('"words"')[0].count("text =")
    assert any(not interval.text.isascii() for interval in phones.intervals)


def test_texts_go_over_lines_and_old_praats_write_latin_1():
    assert load_labels(SHORT.replace("now", "now\nor never").encode())[1].intervals[0].text == "now or never"
    assert load_labels(SHORT.replace("now", "été").encode("latin-1"))[1].intervals[0].text == "été"


def test_a_grid_may_be_empty():
    assert load_labels(b'File type = "ooTextFile"\nObject class = "TextGrid"\n0\n1\n<absent>\n') == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class = "TextGrid"', 'class = "Pitch 1"', "line 2: expected an object of class \"TextGrid\", found"),
        ("<exists>", "yes", "line 7: expected <exists> or <absent>, a flag, found the number '2'"),
        ("size = 2\nitem", "size = 65\nitem", "line 7: expected the number of tiers, 0 to 64, found '65'"),
        ("size = 2\nitem", "size = 1e1\nitem", "line 7: expected the number of tiers, 0 to 64, found '1e1'"),
        ("intervals: size = 2", "intervals: size = 999999999", "expected the number of labels, 0 to 200000"),
        ("xmax = 0.5", "xmax = 0.5s", "line 17: expected the end of an interval in seconds, found '0.5s'"),
        ("xmax = 0.5", "xmax = 1e999", "line 17: expected the end of an interval in seconds, found '1e999'"),
        ("xmax = 0.5", "xmax = nan", "line 18: expected the end of an interval, a number, found the text"),
        ("xmin = 0.5", "xmin = 7", "line 22: expected an end at or after the start (7 s), found 1.5 s"),
        ('"TextTier"', '"PitchTier"', "expected a tier of class \"IntervalTier\" or \"TextTier\""),
        ('mark = "now"', 'mark = "now', "line 31: expected the quote that ends the text '\"now', found none"),
        ('mark = "now"\n', "", "line 31: expected the mark of a point, found the end of the file; it is cut short"),
        ("now", "n" * 2001, "line 31: expected a label of at most 2000 characters, found 2001"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(old, new, message):
    assert LONG.count(old) >= 1
    with pytest.raises(LabelError) as caught:
        load_labels(LONG.replace(old, new, 1).encode())
    assert message in str(caught.value)
    assert str(caught.value).startswith("labels: ")


def test_a_file_cut_anywhere_is_refused_or_whole():
    for length in range(len(SHORT)):
        part = SHORT[:length].encode()
        try:
            assert load_labels(part) == SHORT_TRACKS
            assert part.endswith(b'"now"')
        except LabelError:
            assert not part.endswith(b'"now"')


def test_damage_ends_in_a_label_error_or_in_labels():
    letters = '"0123456789.<>!\\ \n\tabce-+\u0259'
    draw = random.Random(0)
    for _ in range(2000):
        text = list(draw.choice([LONG, SHORT]))
        for _ in range(draw.randint(1, 8)):
            at = draw.randrange(len(text))
            text[at : at + draw.randint(0, 3)] = draw.choices(letters, k=draw.randint(0, 3))
        try:
            for track in load_labels("".join(text).encode()):
                assert all(0 <= interval.end - interval.start < float("inf") for interval in track.intervals)
        except LabelError:
            pass
