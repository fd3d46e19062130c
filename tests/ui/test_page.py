"""The page without a browser: what the viewer is given, bad input, shared links, and who may see what."""

import io
import pickle

import psutil
import pytest
import torch
from models import make_model
from payload import Payload
from visits import choose, errors, open_page, pictures, viewer, wav

from wavlm_explorer import tracing
from wavlm_explorer.figures.style import WEIGHT_SCALES
from wavlm_explorer.ui import memory
from wavlm_explorer.ui import tracing as once
from wavlm_explorer.views import VIEWS


def test_the_page_opens_with_a_sample_already_traced():
    app = open_page()
    assert not app.exception
    assert errors(app) == []
    assert app.title[0].value == VIEWS[0].title
    shown = viewer(app)
    assert (shown["layers"], shown["heads"], shown["frames"]) == (6, 6, 262)
    assert [track["name"] for track in shown["labels"]] == ["phones", "words"]
    assert pictures(app) == 0
    assert "nano" in app.sidebar.caption[-1].value


def test_a_link_opens_what_it_says():
    app = open_page(sample="A pause", layer="1", head="4", scale="linear")
    assert not app.exception
    assert app.selectbox(key="sample").value == "pause"
    place = viewer(app)["place"]
    assert (place["layer"], place["head"], place["scale"]) == (1, 4, "linear")


@pytest.mark.parametrize(
    "link", [{"layer": "99"}, {"head": "-1"}, {"sample": "nothing"}, {"scale": "x"}, {"layer": "?"}]
)
def test_a_link_that_makes_no_sense_opens_the_page_all_the_same(link):
    app = open_page(**link)
    assert not app.exception
    shown = viewer(app)
    assert 0 <= shown["place"]["layer"] < shown["layers"]
    assert 0 <= shown["place"]["head"] < shown["heads"]
    assert shown["place"]["scale"] in WEIGHT_SCALES


def test_another_head_or_layer_never_runs_the_model_again(monkeypatch):
    traces = []
    monkeypatch.setattr(once, "trace", lambda *a, **k: traces.append(1) or tracing.trace(*a, **k))
    app = open_page()
    for name, value in (("head", 2), ("layer", 5), ("scale", "linear")):
        app.session_state[name] = value
        app.run()
        assert viewer(app)["place"][name] == value
    assert not app.exception
    assert len(traces) == 1
    app.selectbox(key="sample").set_value("vowels").run()
    assert len(traces) == 2


def test_an_upload_is_traced():
    app = choose(open_page(), "Upload")
    assert "Drop a recording" in app.info[0].value
    app.file_uploader(key="upload").upload("tone.wav", wav(2.0)).run()
    assert not app.exception
    assert errors(app) == []
    assert viewer(app)["duration"] == 2.0
    assert any("tone.wav · 0 to 2.00 s" in caption.value for caption in app.sidebar.caption)
    app.number_input(key="start").set_value(1.5).run()
    assert any("tone.wav · 1.5 to 2.00 s" in caption.value for caption in app.sidebar.caption)


def test_bad_recordings_are_explained_and_lose_nothing(tmp_path):
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").upload("good.wav", wav()).run()
    mark = tmp_path / "executed"
    bad = {
        "notes.txt": (b"dear diary", "expected"),
        "short.wav": (wav(200 / 16_000), "400 samples"),
        "empty.wav": (b"", "empty"),
        "payload.pkl": (pickle.dumps(Payload(mark)), "expected"),
        "half.flac": (b"fLaC" + b"\0" * 100, "expected"),
    }
    for name, (content, message) in bad.items():
        app.file_uploader(key="upload").set_value((name, content, "application/octet-stream")).run()
        assert not app.exception, name
        assert message in errors(app)[0], name
        assert any("Still showing good.wav" in caption.value for caption in app.caption), name
        assert viewer(app)["duration"] == 1.0, name
    assert not mark.exists()


def test_a_long_recording_offers_which_part():
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").upload("long.wav", wav(90.0, rate=8000)).run()
    assert not app.exception
    assert "lasts 1 min 30 s" in app.info[0].value
    app.number_input(key="duration").set_value(2.0).run()
    app.number_input(key="start").set_value(85.0).run()
    assert any("85 to 87.00 s" in caption.value for caption in app.sidebar.caption)
    assert app.number_input(key="start").max == pytest.approx(89.9)
    app.number_input(key="start").set_value(89.9).run()
    assert not app.exception
    assert errors(app) == []
    assert any("89.9 to 90.00 s" in caption.value for caption in app.sidebar.caption)


def test_a_look_at_the_samples_does_not_lose_an_upload():
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").upload("mine.wav", wav()).run()
    app = choose(choose(app, "Sample"), "Upload")
    assert viewer(app)["duration"] == 1.0
    assert any("mine.wav" in caption.value for caption in app.sidebar.caption)


def test_the_link_keeps_layer_and_head():
    app = open_page(layer="4", head="5")
    assert app.query_params["layer"] == "4"
    app.session_state["layer"] = 1
    app.run()
    assert app.query_params["layer"] == "1"
    assert app.query_params["head"] == "5"
    app.session_state["head"] = 0
    app.run()
    assert "head" not in app.query_params


def test_a_trace_that_does_not_fit_is_explained(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    app = open_page()
    assert not app.exception
    assert "Choose a shorter part" in errors(app)[0]
    assert viewer(app) is None


def test_a_stopped_trace_waits_until_it_is_wanted_again(monkeypatch):
    traces = []
    monkeypatch.setattr(once, "trace", lambda *a, **k: traces.append(1) or tracing.trace(*a, **k))
    app = open_page()
    key = next(iter(app.session_state["_traces"]))
    app.session_state["_traces"].clear()
    app.session_state["_stopped"] = key
    app.run()
    assert not app.exception
    assert "Stopped" in app.info[0].value
    assert len(traces) == 1
    app.button(key="start_again").click().run()
    assert not app.exception
    assert len(traces) == 2
    assert "_stopped" not in app.session_state


def test_a_session_keeps_no_more_traces_than_fit(monkeypatch):
    monkeypatch.setattr(memory, "MOST_BYTES", 1)
    app = open_page()
    first = list(app.session_state["_traces"])
    app.selectbox(key="sample").set_value("vowels").run()
    assert not app.exception
    assert len(app.session_state["_traces"]) == 1
    assert list(app.session_state["_traces"]) != first


def test_silence_is_said_to_be_silence():
    app = choose(open_page(), "Upload")
    silent = wav()[:44] + bytes(len(wav()) - 44)
    app.file_uploader(key="upload").upload("silent.wav", silent).run()
    assert not app.exception
    assert "silent" in app.warning[0].value
    assert viewer(app)["duration"] == 1.0


def test_a_recording_from_the_microphone_works_the_same():
    app = choose(open_page(), "Record")
    app.audio_input(key="record").set_value(("voice.wav", wav(), "audio/wav")).run()
    assert not app.exception
    assert viewer(app)["duration"] == 1.0


def checkpoint(model) -> bytes:
    buffer = io.BytesIO()
    cfg = {name: getattr(model.config, name) for name in model.config.__dataclass_fields__}
    torch.save({"cfg": cfg, "model": model.state_dict()}, buffer)
    return buffer.getvalue()


def test_a_checkpoint_of_one_s_own_and_a_bad_one(tmp_path):
    app = open_page(layer="5", head="5")
    app.selectbox(key="model").set_value("your checkpoint").run()
    assert "Drop a checkpoint" in app.info[0].value
    app.file_uploader(key="checkpoint").upload("mine.pt", checkpoint(make_model())).run()
    assert not app.exception
    assert app.sidebar.caption[-1].value.startswith("mine.pt · 3 layers × 3 heads")
    assert [viewer(app)["place"][name] for name in ("layer", "head")] == [2, 2]
    mark = tmp_path / "executed"
    buffer = io.BytesIO()
    torch.save({"cfg": Payload(mark), "model": {}}, buffer)
    app.file_uploader(key="checkpoint").set_value(("bad.pt", buffer.getvalue(), "application/zip")).run()
    assert not app.exception
    assert "Python objects of posix.mkdir" in errors(app)[0]
    assert (viewer(app)["layers"], viewer(app)["heads"]) == (3, 3)
    assert not mark.exists()
