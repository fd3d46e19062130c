"""The page of the gate as its visitor meets it."""

import pytest
from visits import errors, open_page, pictures

from wavlm_explorer.views.gate import VIEW


@pytest.fixture(scope="module")
def app():
    return open_page("gate", layer="5", head="2", frame="100")


def test_the_link_says_which_gate(app):
    assert not app.exception
    assert errors(app) == []
    assert app.title[0].value == VIEW.title
    assert [app.slider(key=name).value for name in ("layer", "head", "frame")] == [5, 2, 100]
    assert {name: app.query_params[name] for name in ("layer", "head", "frame")} == {
        "layer": "5", "head": "2", "frame": "100",
    }  # fmt: skip
    assert pictures(app) == 6
    assert any("At 2.01 s, in frame 100, the gate of head 2 is" in caption.value for caption in app.caption)


def test_the_equation_stands_in_symbols_and_in_numbers(app):
    lesson, *steps = [equation.value.strip("$\n ") for equation in app.latex]
    assert lesson == VIEW.lesson.equation
    assert len(steps) == 3
    assert all(name in step for name, step in zip(("s_a", "s_b", "g &="), steps, strict=True))
    assert any("The sigmoid of the last four's sum is" in caption.value for caption in app.caption)


def test_another_frame_is_another_gate(app):
    steps = [equation.value for equation in app.latex]
    app.slider(key="frame").set_value(12).run()
    assert not app.exception
    assert app.query_params["frame"] == "12"
    assert [equation.value for equation in app.latex][1:] != steps[1:]


def test_a_frame_beyond_the_clip_is_the_last():
    app = open_page("gate", frame="99999")
    assert not app.exception
    assert app.slider(key="frame").value == app.slider(key="frame").max == 261
