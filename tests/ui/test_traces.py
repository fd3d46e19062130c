"""Traces on the page: opened in a sound's place, with the model that came along; bad ones lose nothing."""

import dataclasses
import io
import pickle

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from payload import Payload
from streamlit.testing.v1 import AppTest
from visits import choose, errors, go_to, open_page, pictures, viewer, wav

import wavlm_explorer as wx
from wavlm_explorer import tracing
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.ui import sound, traces
from wavlm_explorer.ui import tracing as once

SMALL = pack_trace(
    wx.trace(make_model(VARIANTS["glu"]), dataclasses.replace(make_audio(start=2.5), name="far *away*.wav"))
)


def upload(app: AppTest, content: bytes, name: str = "saved.safetensors") -> AppTest:
    return app.file_uploader(key="upload").set_value((name, content, "application/octet-stream")).run()


def open_trace(content: bytes = SMALL) -> AppTest:
    app = upload(choose(open_page(), "Upload"), content)
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.sidebar.caption)


def saving(app: AppTest) -> list[str]:
    return [getattr(button, "label", "") for button in app.sidebar.get("download_button")]


def test_an_opened_trace_is_shown_and_nothing_is_traced_again(monkeypatch):
    passes = []
    monkeypatch.setattr(once, "trace", lambda *a, **k: passes.append(1) or tracing.trace(*a, **k))
    app = choose(open_page(), "Upload")
    passes.clear()
    app = upload(app, SMALL)
    assert not app.exception
    assert errors(app) == passes == []
    shown = viewer(app)
    assert (shown["layers"], shown["heads"], shown["frames"], shown["start"]) == (3, 3, 39, 2.5)
    assert "far \\*away\\*.wav · 2.5 to 3.30 s" in captions(app)
    assert "a WavLM built in code · 3 layers × 3 heads" in captions(app)
    assert "came with the trace" in captions(app)


@pytest.mark.parametrize("page", ["buckets", "glu", "quant-noise"])
def test_every_view_works_on_an_opened_trace(page):
    app = go_to(open_trace(), page).run()
    assert not app.exception
    assert errors(app) == []
    assert pictures(app) > 0


@pytest.mark.parametrize("page", ["doctor", "compare"])
def test_what_needs_the_whole_checkpoint_says_so(page):
    app = go_to(open_trace(), page).run()
    assert not app.exception
    assert any("the whole checkpoint, did not come with it" in info.value for info in app.info)


def test_a_look_at_another_sound_finds_the_model_that_was_chosen_and_the_trace_again(tmp_path):
    app, path = open_page(), wx.save_model(make_model(), tmp_path / "mine.pt")
    app.selectbox(key="model").set_value("your checkpoint").run()
    app.file_uploader(key="checkpoint").upload(path.name, path.read_bytes()).run()
    app = upload(choose(app, "Upload"), pack_trace(wx.trace(wx.load_model("nano"), make_audio())))
    assert viewer(app)["layers"] == 6
    assert "model" not in [box.key for box in app.selectbox]
    app = choose(app.run(), "Sample")
    assert not app.exception
    assert app.selectbox(key="model").value == "your checkpoint"
    assert app.query_params["model"] == "your checkpoint"
    assert (viewer(app)["layers"], viewer(app)["frames"]) == (3, 262)
    assert viewer(choose(app, "Upload"))["layers"] == 6


def test_bad_traces_are_explained_and_lose_nothing(tmp_path):
    mark = tmp_path / "executed"
    whole = io.BytesIO()
    torch.save(make_model().state_dict(), whole)
    bad = {
        "nothing": (b"", "is empty"),
        "a pickle": (pickle.dumps(Payload(mark)), "another kind of file"),
        "cut short": (SMALL[:5000], "cut short"),
        "a checkpoint": (whole.getvalue(), "which load_model opens"),
        "a sound": (wav(), "a sound file"),
    }
    for good, duration in ((("good.wav", wav()), 1.0), (("good.safetensors", SMALL), 0.8)):
        app = choose(open_page(), "Upload")
        app = upload(app, good[1], good[0])
        for what, (content, message) in bad.items():
            app = upload(app, content, "bad_.safetensors")
            assert not app.exception, what
            shown = errors(app)[0].replace("\\", "")
            assert shown.startswith("bad_.safetensors cannot be opened as a trace"), what
            assert message in shown, what
            assert "Still showing" in captions(app), what
            assert viewer(app)["duration"] == duration, what
    assert not mark.exists()


def test_a_trace_under_another_name_is_no_recording():
    app = upload(choose(open_page(), "Upload"), SMALL, "saved.wav")
    assert not app.exception
    assert "expected a sound file" in errors(app)[0]


def test_a_trace_may_be_larger_than_a_recording(monkeypatch):
    monkeypatch.setattr(sound, "MAX_UPLOAD_MEGABYTES", 0)
    app = upload(open_trace(), wav(), "tone.wav")
    assert "expected at most 0 MB" in errors(app)[0]
    assert viewer(app)["layers"] == 3


def test_a_trace_of_a_longer_sound_than_allowed_is_refused(monkeypatch):
    monkeypatch.setattr(sound, "MAX_TRACED_SECONDS", 0.5)
    app = upload(choose(open_page(), "Upload"), SMALL)
    assert not app.exception
    assert "expected at most 0.5 s of sound, found 0.8 s" in errors(app)[0]


def test_a_trace_in_the_place_of_a_checkpoint_is_told_where_it_belongs():
    app = open_page()
    app.selectbox(key="model").set_value("your checkpoint").run()
    app.file_uploader(key="checkpoint").upload("saved.safetensors", SMALL).run()
    assert not app.exception
    assert "this is a trace" in errors(app)[0]
    assert viewer(app)["layers"] == 6


def test_what_is_on_screen_can_be_saved_unless_the_page_could_not_open_it(monkeypatch):
    app = open_page()
    assert saving(app) == ["Save this trace (10.9 MB)"]
    assert saving(open_trace()) == ["Save this trace (0.1 MB)"]
    monkeypatch.setattr(traces, "trace_bytes", lambda trace: 10**12)
    assert saving(app.run()) == []
    assert "This trace has 1,000,000 MB, more than this page opens" in captions(app)
