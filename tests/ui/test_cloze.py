"""The page of the cloze without a browser: what its canvas is given, and where there is none."""

import json

import pytest
from visits import errors, open_page, pictures


def cloze(app) -> dict | None:
    found = [component.proto for component in app.get("bidi_component")]
    data = [json.loads(proto.json) for proto in found if proto.component_name == "wavlm_explorer_cloze"]
    return data[0] if data else None


def test_the_span_lives_in_the_link_and_the_pictures_are_drawn_when_opened():
    app = open_page("cloze", hidden_from="200", hidden_frames="5", layer="2", head="1")
    assert errors(app) == []
    assert pictures(app) == 0
    data = cloze(app)
    assert data is not None
    place = {"hidden_from": 200, "hidden_frames": 5, "hidden_to": 205, "layer": 2, "head": 1}
    assert data["place"] == place
    assert data["variants"] == ["as it is", "without position", "gates at 1"]
    assert data["most_hidden"] == 25
    app.session_state["picture_section"] = True
    app.run()
    assert not app.exception
    assert pictures(app) == 3
    assert {"cloze.zip", "cloze.html"} <= {button.key for button in app.get("download_button")}
    assert app.query_params["hidden_from"] == "200"


@pytest.mark.parametrize(("first", "number"), [("-5", "0"), ("99999", "99999"), ("x", "y")])
def test_a_link_without_sense_hides_something_and_not_all(first, number):
    data = cloze(open_page("cloze", hidden_from=first, hidden_frames=number))
    assert data is not None
    place = data["place"]
    assert 0 <= place["hidden_from"] < place["hidden_to"] <= data["frames"]
    assert place["hidden_to"] - place["hidden_from"] <= 25
