"""The page of the birth of the heads: what its component is told, what comes back, and what can be kept."""

import json
from typing import Any

import pytest
from visits import errors, go_to, open_page, pictures

from wavlm_explorer.birth import course, load_birth
from wavlm_explorer.ui.viewer import birth as component
from wavlm_explorer.ui.viewer.place import take_numbers
from wavlm_explorer.views.birth import describe


def told(app) -> dict[str, Any]:
    (proto,) = (one.proto for one in app.get("bidi_component") if one.proto.component_name == "wavlm_explorer_birth")
    return json.loads(proto.json)


def test_it_begins_where_the_link_says():
    app = open_page("birth", birth_moment="5", layer="4", head="2")
    assert not app.exception
    assert errors(app) == []
    assert told(app)["place"] == {"moment": 5, "layer": 4, "head": 2}
    assert told(app)["words"] == describe(load_birth(), course(load_birth()))
    assert pictures(app) == 0  # until somebody opens them
    assert app.query_params["birth_moment"] == "5"


def test_what_the_link_cannot_mean_is_brought_into_range():
    app = open_page("birth", birth_moment="99", layer="70", head="-3")
    assert not app.exception
    assert told(app)["place"] == {"moment": 11, "layer": 5, "head": 0}
    assert "birth_moment" not in app.query_params


def test_the_moment_is_kept_for_whoever_comes_back():
    app = open_page("birth", birth_moment="5")
    app.session_state["birth_moment"] = 7  # as the component says it
    app.run()
    assert app.query_params["birth_moment"] == "7"
    go_to(app, "gate").run()
    assert told(go_to(app, "birth").run())["place"]["moment"] == 7
    assert app.query_params["birth_moment"] == "7"


def test_pictures_to_keep_are_those_of_the_moment():
    app = open_page("birth", birth_moment="5")
    app.session_state["picture_section"] = True
    app.run()
    assert not app.exception
    assert pictures(app) == 2
    assert any("After 152 steps" in caption.value for caption in app.caption)
    assert {"birth.zip", "birth.html"} <= {button.key for button in app.get("download_button")}


@pytest.mark.parametrize("place", [None, 3, {}, {"moment": "7", "layer": None}])
def test_what_looks_like_no_place_is_left_out(monkeypatch, place):
    state: dict[str, Any] = {}
    monkeypatch.setattr(component.st, "session_state", state)
    take_numbers(place, component.KEYS)
    assert state == {}
    take_numbers({"moment": 3, "layer": 1, "head": 5}, component.KEYS)
    assert state == {"birth_moment": 3, "layer": 1, "head": 5}
