"""The report of one trace: every view's lesson and pictures on one page."""

import re

import pytest
from models import VARIANTS
from traces import make_trace

from wavlm_explorer.report import make_report, plain
from wavlm_explorer.views import VIEWS


@pytest.fixture(scope="module")
def page():
    return make_report(make_trace(VARIANTS["glu"]), layer=1, head=2).to_html()


def test_every_view_is_there_with_its_lesson(page):
    for view in VIEWS:
        assert f"<h2>{view.title}</h2>" in page
        assert page.count("<math") >= sum(1 + len(view.lesson.symbols) for view in VIEWS)
    assert "Every 20 ms WavLM makes a frame of the sound" in page
    assert page.count('alt="') >= 10
    assert "Layer" in page
    assert "<dd>1</dd>" in page


def test_no_latex_is_left_and_nothing_is_fetched(page):
    text = page.partition("<main>")[2]
    assert "\\" not in text
    assert "**" not in text
    assert "://" not in page.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "<script" not in page


def test_a_gate_is_worked_through_in_numbers(page):
    words, _, rest = page.partition("The sigmoid of the last four")
    assert "The frame&#39;s 8 numbers are projected to eight." in words
    equation = rest.partition("<math")[2].partition("</math>")[0]
    assert "<mtable" in equation
    assert len(re.findall(r"<mn>\d+\.\d{3}</mn>", equation)) == 6  # four projections, their sum, b


def test_every_choice_must_be_one_that_the_views_offer():
    trace = make_trace()
    with pytest.raises(IndexError, match="layer: expected 0 to 2; found 3"):
        make_report(trace, layer=3)
    with pytest.raises(IndexError, match="head: expected 0 to 2; found -1"):
        make_report(trace, head=-1)


def test_what_a_checkpoint_lacks_is_said():
    assert "no GLU" in make_report(make_trace()).to_html()


def test_emphasis_goes_and_code_stays():
    assert plain("a **bold** and *slanted* `code`") == "a bold and slanted `code`"
