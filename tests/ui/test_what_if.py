"""The page of interventions as its visitor meets it: what is asked, and the sweep that is done when it is wanted."""

import numpy as np
import pytest
from visits import errors, open_page, pictures, viewer

from wavlm_explorer import effects
from wavlm_explorer.tracing import Trace
from wavlm_explorer.ui.widgets import MAX_COLLECTED
from wavlm_explorer.views.changes import NOTHING
from wavlm_explorer.views.what_if import VIEW


@pytest.fixture
def app():
    return open_page("what-if", sample="vowels", layer="4", head="2")


def open_section(app) -> None:
    """Open what is drawn only for those who want to keep it."""
    app.session_state["picture_section"] = True
    app.run()


def names(app) -> set[str]:
    return {widget.key for widget in (*app.selectbox, *app.segmented_control, *app.slider)}


def test_only_what_matters_is_asked(app):
    assert not app.exception
    assert errors(app) == []
    assert app.title[0].value == VIEW.title
    assert {"what_if", "where", "layer", "head"} <= names(app)
    assert not names(app) & {"shown_layer", "shown_head", "measure"}
    assert not names(app) & {"fixed_gate", "other_head", "span", "frame"}
    assert pictures(app) == 0
    app.selectbox(key="what_if").set_value("gate fixed").run()
    app.slider(key="fixed_gate").set_value(2.0).run()
    app.segmented_control(key="where").set_value("all").run()
    assert not app.exception
    assert not names(app) & {"layer", "head", "other_head", "span", "frame"}
    found = {name: app.query_params[name] for name in ("what_if", "where", "fixed_gate")}
    assert found == {"what_if": "gate fixed", "where": "all", "fixed_gate": "2.0"}
    assert app.query_params["layer"] == "4"


def test_the_viewer_shows_both_passes_and_begins_where_most_moves(app):
    shown = viewer(app)
    assert shown["change"]["arrays"] != shown["arrays"]
    assert shown["place"]["side"] == "after"
    assert shown["place"]["layer"] > 4  # a head that is off moves maps above it
    assert "What leaves" not in app.markdown[0].value
    assert any("The output moves by" in text.value for text in app.markdown)
    assert [measure["name"] for measure in shown["change"]["measures"]][:2] == ["moved", "span_ms"]
    assert shown["change"]["importance"] is None


def test_another_change_keeps_the_place_and_is_the_only_thing_that_runs(app, monkeypatch):
    first, passes = viewer(app), []
    what_if = Trace.what_if
    monkeypatch.setattr(Trace, "what_if", lambda *arguments: passes.append(1) or what_if(*arguments))
    app.selectbox(key="what_if").set_value("sound hidden").run()
    app.slider(key="span").set_value(10).run()
    shown = viewer(app)
    assert shown["place"] == first["place"]
    assert shown["arrays"] == first["arrays"]
    assert shown["change"]["arrays"] != first["change"]["arrays"]
    middle = app.slider(key="frame").value
    assert shown["change"]["hidden"] == [[middle - 5, middle + 5]]
    assert len(passes) == 2
    app.session_state["shown_layer"] = 1
    app.run()
    assert viewer(app)["place"]["layer"] == 1
    assert viewer(app)["change"]["arrays"] == shown["change"]["arrays"]
    assert len(passes) == 2


def test_the_link_leads_back_to_the_side_and_the_head(app):
    again = open_page("what-if", sample="vowels", shown_layer="2", shown_head="9", side="difference", layer="1")
    assert {name: viewer(again)["place"][name] for name in ("layer", "head", "side")} == {
        "layer": 2, "head": 5, "side": "difference",
    }  # fmt: skip
    assert (again.slider(key="layer").value, again.query_params["side"]) == (1, "difference")
    assert again.query_params["shown_head"] == "5"
    nonsense = open_page("what-if", sample="vowels", side="inside out")
    assert viewer(nonsense)["place"]["side"] == "after"


def test_the_sweep_is_done_when_it_is_wanted(app, monkeypatch):
    sweeps = []
    sweep = effects.head_importance
    monkeypatch.setattr(effects, "head_importance", lambda *arguments: sweeps.append(1) or sweep(*arguments))
    assert sweeps == []
    app.button(key="sweep").click().run()
    assert not app.exception
    assert sweeps == [1]
    importance = viewer(app)["change"]["importance"]
    assert np.shape(importance) == (6, 6)
    assert viewer(app)["change"]["measures"][0]["name"] == "importance"
    open_section(app)
    assert pictures(app) == 5
    labels = [getattr(button, "label", "") for button in app.main.get("download_button")]
    assert labels[-2:] == ["All pictures and numbers (ZIP)", "Report (HTML)"]
    assert any("Without head" in caption.value for caption in app.caption)
    assert "sweep" not in {button.key for button in app.button}
    app.selectbox(key="measure").set_value("span (ms)").run()
    assert any("Ranked by span (ms)" in caption.value for caption in app.caption)


def test_a_sweep_that_was_stopped_can_be_started_again(app, monkeypatch):
    app.session_state["_stopped"] = "sweep"
    app.run()
    assert not app.exception
    open_section(app)
    assert pictures(app) == 4
    app.button(key="sweep").click().run()
    assert not app.exception
    assert pictures(app) == 5


def test_changes_are_collected_taken_back_and_kept_in_the_link(app):
    app.button(key="changes_add").click().run()
    assert not app.exception
    assert app.multiselect(key="changes").value == ["head off in layer 4 head 2"]
    assert app.selectbox(key="what_if").value == NOTHING
    assert app.button(key="changes_add").disabled
    app.selectbox(key="what_if").set_value("gate fixed").run()
    assert not app.button(key="changes_add").disabled
    app.button(key="changes_add").click().run()
    collected = ["head off in layer 4 head 2", "gate 1 in layer 4 head 2"]
    assert app.query_params["changes"] == collected
    assert any(words.value.startswith(f"Changed: `{'`, `'.join(collected)}`.") for words in app.markdown)
    app.multiselect(key="changes").set_value(collected[1:]).run()
    assert app.query_params["changes"] == collected[1]
    app.multiselect(key="changes").set_value([]).run()
    assert not app.exception
    assert "changes" not in app.query_params
    assert any("Nothing is changed" in words.value for words in app.markdown)


def test_a_link_brings_all_changes_and_says_what_it_left_out():
    link = {"changes": ["skip layer 9", "gate 1.5 in layer 2", "gate 1.5 in layer 2", "", "nonsense"]}
    app = open_page("what-if", sample="vowels", what_if=NOTHING, **link)
    assert not app.exception
    assert app.multiselect(key="changes").value == ["skip layer 9", "gate 1.5 in layer 2", "nonsense"]
    assert any(words.value.startswith("Changed: `gate 1.5 in layer 2`. ") for words in app.markdown)
    (note,) = (info.value for info in app.info)
    assert "`skip layer 9` (layer 9 is out of range" in note
    assert "`nonsense` (expected one of" in note


def test_a_link_brings_no_more_changes_than_the_page_takes():
    texts = [f"gate {number} in layer 2" for number in range(100)]
    app = open_page("what-if", sample="vowels", changes=texts)
    assert not app.exception
    assert app.multiselect(key="changes").value == texts[:MAX_COLLECTED]
    assert app.button(key="changes_add").disabled


@pytest.mark.parametrize(("text", "gate"), [("nan", 0.0), ("-inf", 0.0), ("inf", 3.0)])
def test_a_link_s_number_that_is_none_is_brought_into_range(text, gate):
    app = open_page("what-if", sample="vowels", what_if="gate fixed", fixed_gate=text)
    assert not app.exception
    assert app.slider(key="fixed_gate").value == gate
