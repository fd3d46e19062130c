"""The page of interventions as its visitor meets it: what is asked, and the sweep that is done when it is wanted."""

import pytest
from visits import errors, open_page, pictures

from wavlm_explorer import effects
from wavlm_explorer.views.what_if import VIEW


@pytest.fixture
def app():
    return open_page("what-if", sample="vowels", layer="4", head="2")


def names(app) -> set[str]:
    return {widget.key for widget in (*app.selectbox, *app.segmented_control, *app.slider)}


def test_only_what_matters_is_asked(app):
    assert not app.exception
    assert errors(app) == []
    assert app.title[0].value == VIEW.title
    assert {"what_if", "where", "layer", "head", "shown_layer", "shown_head"} <= names(app)
    assert not names(app) & {"fixed_gate", "other_head", "span", "frame"}
    assert pictures(app) == 4
    app.selectbox(key="what_if").set_value("gate fixed").run()
    app.slider(key="fixed_gate").set_value(2.0).run()
    app.segmented_control(key="where").set_value("all").run()
    assert not app.exception
    assert not names(app) & {"layer", "head", "other_head", "span", "frame"}
    found = {name: app.query_params[name] for name in ("what_if", "where", "fixed_gate")}
    assert found == {"what_if": "gate fixed", "where": "all", "fixed_gate": "2.0"}
    assert app.query_params["layer"] == "4"


def test_the_sweep_is_done_when_it_is_wanted(app, monkeypatch):
    sweeps = []
    sweep = effects.head_importance
    monkeypatch.setattr(effects, "head_importance", lambda *arguments: sweeps.append(1) or sweep(*arguments))
    app.slider(key="shown_head").set_value(3).run()
    assert sweeps == []
    app.button(key="sweep").click().run()
    assert not app.exception
    assert sweeps == [1]
    assert pictures(app) == 5
    assert any("Without head" in caption.value for caption in app.caption)
    assert "sweep" not in {button.key for button in app.button}
    app.selectbox(key="measure").set_value("span (ms)").run()
    assert any("Ranked by span (ms)" in caption.value for caption in app.caption)


def test_a_sweep_that_was_stopped_can_be_started_again(app, monkeypatch):
    app.session_state["_stopped"] = "sweep"
    app.run()
    assert not app.exception
    assert pictures(app) == 4
    app.button(key="sweep").click().run()
    assert not app.exception
    assert pictures(app) == 5
