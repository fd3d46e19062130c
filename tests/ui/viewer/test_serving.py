"""The route beside Streamlit's: who has a trace's token gets its arrays, nobody else, and no longer than it is kept."""

import gc
from collections.abc import Iterator

import pytest
from blocks import unpack
from starlette.applications import Starlette
from starlette.testclient import TestClient
from traces import make_trace

from wavlm_explorer.ui.viewer import guesses
from wavlm_explorer.ui.viewer.serving import ROUTES, STATIC, offer, static_digest


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=ROUTES), raise_server_exceptions=False) as client:
        yield client


def test_a_token_brings_the_arrays_of_its_trace_as_they_are(client):
    trace = make_trace()
    response = client.get(f"/viewer/{offer(trace)}/layer?layer=1", headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "identity"
    assert "private" in response.headers["Cache-Control"]
    assert unpack(response.content)["cells"].shape == (trace.num_heads, trace.num_frames, trace.num_frames)


def test_every_trace_has_a_token_of_its_own_and_keeps_it():
    one, other = make_trace(), make_trace()
    assert offer(one) == offer(one)
    assert offer(one) != offer(other)
    assert len(offer(one)) >= 20


def test_a_trace_that_is_no_longer_kept_is_gone(client):
    trace = make_trace()
    token = offer(trace)
    assert client.get(f"/viewer/{token}/sound").status_code == 200
    del trace
    gc.collect()
    response = client.get(f"/viewer/{token}/sound")
    assert response.status_code == 410
    assert "reload" in response.text
    assert client.get("/viewer/guessed/sound").status_code == 410


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("layer?layer=99", "layer 99 is out of range"),
        ("layer?layer=x", "invalid literal"),
        ("window?layer=0&head=0&start=9&stop=3", "found 9 to 3"),
        ("secrets", "expected one of"),
    ],
)
def test_a_question_without_sense_is_explained(client, query, said):
    trace = make_trace()
    response = client.get(f"/viewer/{offer(trace)}/{query}")
    assert response.status_code == 400
    assert said in response.text


def test_what_others_have_superseded_is_told_from_what_makes_no_sense(client, monkeypatch):
    trace = make_trace()

    def guess(heard, _, __, progress):
        guesses._wanted[heard] = (8, 9)
        progress(0.5)

    monkeypatch.setattr(guesses, "guess", guess)
    response = client.get(f"/viewer/{offer(trace)}/guess?start=3&stop=7&variant=0")
    assert (response.status_code, response.text) == (409, "Other frames are hidden now.")


@pytest.mark.parametrize("query", ["layer", "layer?layer=0&depth=1", "sound?layer=1"])
def test_missing_and_unknown_numbers_are_refused(client, query):
    trace = make_trace()
    assert client.get(f"/viewer/{offer(trace)}/{query}").status_code == 400


def test_what_does_not_fit_is_said(client, monkeypatch):
    def no_room(*arguments):
        raise MemoryError("5 GB needed")

    trace = make_trace()
    monkeypatch.setattr("wavlm_explorer.ui.viewer.payloads.make", no_room)
    response = client.get(f"/viewer/{offer(trace)}/layer?layer=0")
    assert (response.status_code, response.text) == (507, "5 GB needed")


def test_the_viewer_s_files_are_served_by_name_and_nothing_else_is(client):
    names = sorted(file.name for file in STATIC.iterdir())
    assert {"viewer.js", "viewer.css"} <= set(names)
    for name in names:
        response = client.get(f"/viewer/files/{static_digest()}/{name}")
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/")
    for name in ("..%2Fserving.py", "serving.py", "no.js"):
        assert client.get(f"/viewer/files/{static_digest()}/{name}").status_code == 404
