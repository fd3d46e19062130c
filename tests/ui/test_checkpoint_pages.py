"""The model's panel, the doctor and the comparison, without a browser."""

import io

import pytest
import torch
from models import VARIANTS, make_model
from streamlit.testing.v1 import AppTest
from visits import go_to, open_page, pictures, viewer

from wavlm_explorer.checkpoints import load_model, save_model
from wavlm_explorer.ui import checkpoint, model
from wavlm_explorer.ui.folders import FOLDERS_VARIABLE


def original(**changes) -> bytes:
    """A checkpoint in the original's layout; `changes` to its tensors, None takes one out."""
    torch.manual_seed(0)
    whole = make_model()
    state = {name: tensor for name, tensor in {**whole.state_dict(), **changes}.items() if tensor is not None}
    buffer = io.BytesIO()
    torch.save({"cfg": vars(whole.config), "model": state}, buffer)
    return buffer.getvalue()


DAMAGED = original(**{"encoder.layers.1.fc2.weight": None})


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """An allowed folder with a file of each kind."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "mine.pt").write_bytes(original())
    torch.save(make_model().state_dict(), folder / "bare.pt")
    save_model(make_model(VARIANTS["pre-norm"]), folder / "hf")
    (tmp_path / "secret.pt").write_bytes(original())
    monkeypatch.setenv(FOLDERS_VARIABLE, str(folder))
    return folder


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.selectbox(key="model").set_value("your checkpoint").run()
    return app.file_uploader(key="checkpoint").set_value((name, content, "application/octet-stream")).run()


def errors(app: AppTest) -> list[str]:
    return [element.value for element in app.error]


def facts(app: AppTest) -> str:
    return app.sidebar.caption[-1].value


def test_a_refused_upload_keeps_the_last_model_and_leads_to_the_doctor():
    app = upload(open_page(), "bad_one.pt", DAMAGED)
    assert not app.exception
    assert "missing encoder.layers.1.fc2.weight" in errors(app)[0].replace("\\", "")
    assert facts(app).startswith("nano · ")
    assert viewer(app)["layers"] == 6
    assert [link.proto.label for link in app.get("page_link")] == ["**Ask the doctor**"]
    go_to(app, "doctor").run()
    assert not app.exception
    assert app.get("page_link") == []
    assert app.title[0].value == "Doctor"
    assert any(text.startswith("**Broken.**") for text in errors(app))
    assert any("encoder.layers.1.fc2.weight" in text.value.replace("\\", "") for text in app.markdown)


def test_a_file_that_is_no_checkpoint_gets_a_verdict_too():
    app = upload(open_page("doctor"), "page.pt", b"<!doctype html>")
    assert not app.exception
    assert any(text.startswith("**Broken.**") for text in errors(app))


def test_the_doctor_finds_the_bundled_model_sound():
    app = open_page("doctor")
    assert not app.exception
    assert app.success[0].value.startswith("**Sound.**")
    assert errors(app) == []
    assert pictures(app) == 6
    assert {"Report (HTML)", "Report (JSON)"} <= {getattr(button, "label", "") for button in app.get("download_button")}


def test_the_doctor_examines_once(monkeypatch):
    from wavlm_explorer.ui import doctor

    made = []
    monkeypatch.setattr(doctor, "doctor", lambda *a, real=doctor.doctor, **k: made.append(1) or real(*a, **k))
    app = open_page("doctor").run()
    assert len(made) == 1
    app.selectbox(key="sample").set_value("vowels").run()
    assert len(made) == 2


def test_a_link_opens_a_file_of_the_server_with_its_settings(shared):
    app = open_page(model="on this server", model_file="bare.pt", normalize="True", max_distance="99")
    assert not app.exception
    assert errors(app) == []
    assert facts(app).startswith("bare.pt · 3 layers × 3 heads")
    assert "input normalised" in facts(app)
    assert "Set by hand: input, largest distance" in facts(app)
    assert "Assumed as in Base: norm order" in facts(app)
    assert app.query_params["model_file"] == "bare.pt"
    assert (app.query_params["normalize"], app.query_params["max_distance"]) == ("True", "99")


def test_what_is_set_by_hand_loads_again_and_goes_with_its_checkpoint(shared):
    app = open_page(model="on this server", model_file="bare.pt")
    app.selectbox(key="layer_norm_first").set_value(True).run()
    assert app.query_params["layer_norm_first"] == "True"
    assert "Set by hand: norm order" in facts(app)
    app.selectbox(key="model_file").set_value("mine.pt").run()
    assert facts(app).startswith("mine.pt")
    assert "Set by hand" not in facts(app)
    assert "layer_norm_first" not in app.query_params
    app.selectbox(key="model").set_value("nano (bundled)").run()
    assert "model_file" not in app.query_params


@pytest.mark.parametrize("name", ["../secret.pt", "link.pt"])
def test_a_path_that_leads_out_is_refused(shared, name):
    (shared / "link.pt").symlink_to(shared.parent / "secret.pt")
    app = open_page()
    app.session_state["model_file"] = name  # as typed
    app.selectbox(key="model").set_value("on this server").run()
    assert not app.exception
    assert "leads out of there" in errors(app)[0]
    assert facts(app).startswith("nano")
    assert viewer(app)["layers"] == 6


def test_without_an_allowed_folder_no_path_is_offered():
    app = open_page(model="on this server", model_file="/etc/passwd")
    assert not app.exception
    assert "on this server" not in app.selectbox(key="model").options
    assert facts(app).startswith("nano")


def test_a_folder_of_hugging_face_opens_whole(shared):
    app = open_page(model="on this server", model_file="hf")
    assert errors(app) == []
    assert facts(app).startswith("hf · 3 layers")
    assert "Assumed" not in facts(app)


def test_another_device_takes_effect_at_once(monkeypatch):
    devices = []
    monkeypatch.setattr(
        model, "load_model", lambda source, device, **k: devices.append(device) or load_model(source, device, **k)
    )
    app = upload(open_page(), "mine.pt", original(mask_emb=torch.ones(24)))
    app.selectbox(key="device").set_value("cpu").run()
    assert not app.exception
    assert devices[-2:] == ["auto", "cpu"]


def test_the_model_is_shared_and_its_name_is_not():
    apps = [upload(open_page(), name, original()) for name in ("first.pt", "second.pt")]
    models = [app.session_state["_last_model"][1] for app in apps]
    assert models[0] is models[1]
    assert models[0].source.name == "checkpoint"
    assert [facts(app)[:6] for app in apps] == ["first.", "second"]


def test_without_network_a_name_is_explained_and_nothing_is_lost(monkeypatch):
    def fail(name, progress):
        raise ConnectionError("no network: Try again when there is one")

    monkeypatch.setattr(checkpoint, "find_cached", lambda name: None)
    monkeypatch.setattr(checkpoint, "fetch", fail)
    app = open_page(model="WavLM Large")
    assert "fetch it in the sidebar" in app.info[0].value
    app.button(key="model_download").click().run()
    assert not app.exception
    assert "no network" in errors(app)[0]


def test_what_was_fetched_before_opens_by_its_name(shared, monkeypatch):
    monkeypatch.setattr(checkpoint, "find_cached", lambda name: shared / "hf")
    app = open_page(model="WavLM Base+")
    assert errors(app) == []
    assert facts(app).startswith("microsoft/wavlm-base-plus · 3 layers")


def test_any_other_name_is_the_owner_s_to_allow(shared, monkeypatch):
    assert "Hugging Face id" not in open_page().selectbox(key="model").options
    monkeypatch.setenv(checkpoint.HUB_VARIABLE, "any")
    monkeypatch.setattr(checkpoint, "find_cached", lambda name: shared / "hf")
    app = open_page(model="Hugging Face id", model_id="some/one")
    assert facts(app).startswith("some/one · 3 layers")
    assert app.query_params["model_id"] == "some/one"


def test_the_comparison_says_what_to_do_and_what_is_identical():
    app = open_page("compare")
    assert not app.exception
    assert "Choose the other checkpoint" in app.info[0].value
    app.selectbox(key="other").set_value("nano (bundled)").run()
    assert not app.exception
    assert app.success[0].value.startswith("**Identical.**")
    assert pictures(app) == 5


def test_the_comparison_opens_from_its_link_and_shows_what_moved(shared):
    moved = original(**{"encoder.layers.2.fc1.weight": make_model(seed=3).state_dict()["encoder.layers.2.fc1.weight"]})
    (shared / "moved.pt").write_bytes(moved)
    here = "on this server"
    app = open_page("compare", model=here, model_file="mine.pt", other=here, other_file="moved.pt")
    assert not app.exception
    assert errors(app) == []
    assert "1 of" in app.info[0].value
    assert app.info[0].value.startswith("**Different.**")


def test_a_broken_other_side_is_explained(shared):
    (shared / "half.pt").write_bytes(original()[:5000])
    app = open_page("compare", other="on this server", other_file="half.pt")
    assert not app.exception
    assert "could not be compared" in errors(app)[0]
