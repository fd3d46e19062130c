"""The report of one trace: the lessons, pictures and numbers of the explorer's pages on one page."""

import re

import pytest
from models import VARIANTS
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer import capacity
from wavlm_explorer.figures import DARK, LIGHT, Picture
from wavlm_explorer.report import add_items, begin_report, find_pages
from wavlm_explorer.views import VIEWS, Exhibit, Item, Note, Offer

PICTURE = re.compile(r'srcset="(data:image/webp;base64,[^"]+)"><img src="(data:image/webp;base64,[^"]+)"')


@pytest.fixture(scope="module")
def page():
    return wx.make_report(make_trace(VARIANTS["glu"]), layer=1, head=2).to_html()


def titles(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def test_every_page_is_there_with_its_lesson(page):
    assert titles(page) == [view.title for view in VIEWS]
    assert page.count("<math") >= sum(1 + len(view.lesson.symbols) for view in VIEWS)
    assert "Every 20 ms WavLM makes a <strong>frame</strong> of the sound" in page
    assert "Layer" in page
    assert "<dd>1</dd>" in page


def test_links_at_the_top_lead_to_every_page(page):
    links = re.findall(r'<a href="#([^"]+)">(.*?)</a>', page)
    assert [title for _, title in links] == [view.title for view in VIEWS]
    for anchor, title in links:
        assert f'<h2 id="{anchor}">{title}</h2>' in page


def test_every_picture_is_there_for_light_and_for_dark(page):
    pictures = PICTURE.findall(page)
    assert len(pictures) >= 15
    assert all(dark != light for dark, light in pictures)
    assert len(set(pictures)) == len(pictures) == page.count("<img")
    assert all(page.split('alt="')[1:])


def test_no_marks_are_left_and_nothing_is_fetched(page):
    text = page.partition("<main>")[2]
    assert "\\" not in text
    assert "**" not in text
    assert "$" not in text
    assert "://" not in page.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "<script" not in page


def test_a_gate_is_worked_through_in_numbers(page):
    words, _, rest = page.partition("The sigmoid of the last four")
    assert "The frame&#39;s 8 numbers are projected to eight." in words
    equation = rest.partition("<math")[2].partition("</math>")[0]
    assert "<mtable" in equation
    assert len(re.findall(r"<mn>\d+\.\d{3}</mn>", equation)) == 6  # four projections, their sum, b


def test_every_head_stands_in_a_table():
    trace = make_trace()
    page = wx.make_report(trace, ["attention"]).to_html()
    assert "<summary>All 9 heads in numbers</summary>" in page
    rows = [re.findall(r'class="number">(.*?)</td>', row) for row in re.findall(r"<tr>(.*?)</tr>", page)[1:]]
    assert [row[:2] for row in rows] == [[str(layer), str(head)] for layer in range(3) for head in range(3)]
    expected = trace.measures()["span_ms"].flatten().tolist()
    assert [float(row[2]) for row in rows] == pytest.approx(expected, rel=1e-3)


def test_a_table_that_would_take_minutes_is_left_to_the_library(monkeypatch):
    monkeypatch.setattr(capacity, "COMFORTABLE", 100)
    page = wx.make_report(make_trace(), ["attention"]).to_html()
    assert "<table" not in page
    assert "<code>trace.sampled_measures()</code>" in page


def test_pages_are_chosen_by_name():
    shares = []
    page = wx.make_report(make_trace(), ["gate", "buckets"], shares.append, frame=3).to_html()
    assert titles(page) == ["Gate", "Relative positions"]
    assert "in frame 3," in page
    assert shares == [0.5, 1.0]
    assert "<nav>" not in wx.make_report(make_trace(), ["buckets"]).to_html()
    assert find_pages() == list(VIEWS)
    with pytest.raises(ValueError, match=r"pages: expected some of attention, .*; found 'gates'"):
        wx.make_report(make_trace(), ["gate", "gates"])


def test_every_choice_must_be_one_that_the_pages_offer():
    trace = make_trace()
    with pytest.raises(IndexError, match="layer: expected 0 to 2; found 3"):
        wx.make_report(trace, layer=3)
    with pytest.raises(IndexError, match="head: expected 0 to 2; found -1"):
        wx.make_report(trace, head=-1)


def test_what_a_checkpoint_lacks_is_said():
    assert "<strong>no GLU</strong>" in wx.make_report(make_trace(), ["glu"]).to_html()


@pytest.mark.parametrize("shown_before", [False, True])
def test_what_does_not_fit_is_said_in_its_place(shown_before):
    def square(palette):
        return Exhibit("square", Picture(1, 1, palette), "A *square*.", dict)

    def make_items(palette):
        yield square(palette)
        if shown_before and palette == LIGHT:  # on a page, where it was said already
            yield Note("9 GB")
        raise MemoryError("9 GB of <maps>")

    document = begin_report(make_trace())
    add_items(document, make_items)
    page = document.to_html()
    assert page.count("<img") == 1
    assert 'alt="A square."' in page
    assert "This could not be computed here: 9 GB of &lt;maps&gt;" in page


def test_what_a_page_offers_shifts_no_picture():
    """On screen an offer is a button, so what is shown there comes without it."""
    document = begin_report(make_trace())

    def make_items(palette):
        items: list[Item] = [Offer("sweep", "Do it", "", lambda _: None)] * (palette == DARK)
        return [*items, Exhibit("one", Picture(1, 1, palette), "The only one.", dict)]

    add_items(document, make_items)
    assert document.to_html().count("<figcaption>") == 1
