"""A choice that runs by itself: it starts, steps when the time has come, and stops."""

import pytest
from visits import errors, open_page

from wavlm_explorer.ui import widgets


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    now = [1000.0]
    monkeypatch.setattr(widgets.time, "monotonic", lambda: now[0])
    return now


def moment(app):
    return app.slider(key="birth_moment").value


def button(app):
    return app.button(key="birth_moment_play")


def test_it_runs_from_where_it_is_to_the_end_and_rests(clock):
    app = open_page("birth", birth_moment="9")
    assert not app.exception
    assert (moment(app), button(app).label) == (9, "Play")
    app.run()
    assert moment(app) == 9
    button(app).click().run()
    assert (moment(app), button(app).label) == (9, "Stop")
    app.run()
    assert moment(app) == 9
    for expected, label in ((10, "Stop"), (11, "Play"), (11, "Play")):
        clock[0] += widgets.STEP_SECONDS
        app.run()
        assert not app.exception
        assert (moment(app), button(app).label) == (expected, label)
    assert errors(app) == []


def test_at_the_end_it_begins_again_and_can_be_stopped(clock):
    app = open_page("birth")
    assert moment(app) == 11
    button(app).click().run()
    assert (moment(app), button(app).label) == (0, "Stop")
    clock[0] += widgets.STEP_SECONDS
    app.run()
    assert (moment(app), app.query_params["birth_moment"]) == (1, "1")
    button(app).click().run()
    clock[0] += 60
    app.run()
    assert (moment(app), button(app).label) == (1, "Play")
