"""Labels on the page: bundled ones at once, uploaded ones beside a recording, and what is below the viewer."""

from streamlit.testing.v1 import AppTest
from visits import choose, errors, open_page, pictures, viewer, wav

from wavlm_explorer.samples import sample_textgrid
from wavlm_explorer.ui import instrument

AUDACITY = b"0.2\t0.5\tfirst\n0.5\t0.9\tsecond\n5\t6\tlater\n"


def open_recording(seconds: float = 1.0) -> AppTest:
    app = choose(open_page(), "Upload")
    return app.file_uploader(key="upload").upload("mine.wav", wav(seconds)).run()


def upload_labels(app: AppTest, content: bytes, name: str = "mine.txt") -> AppTest:
    return app.file_uploader(key="labels of mine.wav").set_value((name, content, "text/plain")).run()


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.sidebar.caption)


def test_a_sample_brings_its_labels():
    app = open_page(sample="Two voices")
    words = next(track for track in viewer(app)["labels"] if track["name"] == "words")
    assert [text for _, _, text in words["intervals"] if text] == ["Good", "morning", "Susan"] * 2
    assert len(app.file_uploader) == 0


def test_labels_are_uploaded_beside_a_recording_and_stay_with_it():
    app = open_recording()
    assert viewer(app)["labels"] == []
    app = upload_labels(app, AUDACITY)
    assert not app.exception
    shown = [{"name": "labels", "intervals": [[0.2, 0.5, "first"], [0.5, 0.9, "second"]]}]
    assert viewer(app)["labels"] == shown
    assert "labels: 2 · outside this part: 1" in captions(app)
    app.number_input(key="start").set_value(0.6).run()
    assert viewer(app)["labels"] == [{"name": "labels", "intervals": [[0.5, 0.9, "second"]]}]
    app.number_input(key="start").set_value(0.0).run()
    app = choose(choose(app, "Sample"), "Upload")
    assert viewer(app)["labels"] == shown


def test_another_recording_begins_without_labels():
    app = upload_labels(open_recording(), AUDACITY)
    app.file_uploader(key="upload").set_value(("other.wav", wav(2.0), "audio/wav")).run()
    assert not app.exception
    assert viewer(app)["duration"] == 2.0
    assert viewer(app)["labels"] == []


def test_labels_that_cannot_be_read_or_lie_elsewhere_are_explained():
    app = upload_labels(open_recording(), b"0\t1\tgood\n1\tnever\t**bad**\n")
    assert not app.exception
    assert "mine.txt: line 2: expected an end in seconds, found 'never'" in errors(app)[0].replace("\\", "")
    assert viewer(app)["labels"] == []
    app = upload_labels(app, b"65\t70\tlate\n")
    assert "lie from 65.00 to 70.00 s, outside the part that is shown (0.00 to 1.00 s)" in app.warning[0].value
    app = upload_labels(app, b"0\t1\n")
    assert "None of these labels has a text" in app.warning[0].value
    app = upload_labels(app, sample_textgrid("vowels").encode(), "vowels.TextGrid")
    assert not errors(app)
    assert not app.warning
    assert [track["name"] for track in viewer(app)["labels"]] == ["phones", "words"]


def test_what_is_below_the_viewer_is_drawn_when_it_is_opened():
    app = open_page(sample="Two voices")
    assert [expander.label for expander in app.expander] == [
        "Attention from label to label", "Pictures and numbers to keep"
    ]  # fmt: skip
    assert pictures(app) == 0
    app.session_state["picture_section"] = True
    app.run()
    assert not app.exception
    assert pictures(app) == 4
    assert len(app.main.get("download_button")) == 3 * 4 + 2
    assert [expander.label for expander in app.expander][-1] == "All 36 heads in numbers"


def test_attention_is_pooled_from_label_to_label():
    app = open_page(sample="Two voices", layer="3", head="1", pooling="mean")
    app.session_state["label_section"] = True
    app.run()
    assert not app.exception
    assert pictures(app) == 1
    assert app.segmented_control(key="pooling").value == "mean"
    before = app.get("image")[0].proto
    app.selectbox(key="tier").set_value(1).run()
    app.segmented_control(key="occurrences").set_value("by itself").run()
    assert not app.exception
    assert pictures(app) == 1
    assert "of its attention to its own label" in " ".join(caption.value for caption in app.main.caption)
    assert app.get("image")[0].proto != before


def test_the_picture_of_labels_is_saved_with_the_rest(monkeypatch):
    offered = []
    monkeypatch.setattr(instrument, "offer_view", lambda *given: offered.append(given))
    app = open_page(sample="Two voices", layer="3", head="1", locked="57-60", scale="linear")
    app.session_state["picture_section"] = True
    app.run()
    app.session_state["label_section"] = True
    app.run()
    assert not app.exception
    (_, _, palette, chosen, without, _), (*_, shown, make_items) = offered
    assert chosen == {"layer": 3, "head": 1, "scale": "linear", "frame": 57}
    labels = next(item for item in shown if getattr(item, "name", "") == "label_attention")
    assert [item.name for item in shown] == [*(item.name for item in without), "label_attention"]
    assert "Labels of the tier *phones*." in labels.caption
    assert [item.name for item in make_items(palette)] == [item.name for item in shown]
    assert set(labels.arrays()) == {"frames", "share", "mean", "labels"}
    assert app.session_state["frame"] == 57


def test_a_tier_without_labels_in_this_part_is_explained():
    app = upload_labels(open_recording(), b"call A 0.2 0.5 hello\ncall B 30 0.5 later\n")
    app.session_state["label_section"] = True
    app.run()
    app.selectbox(key="tier").set_value(1).run()
    assert not app.exception
    assert "expected an interval with text in this clip" in app.info[-1].value
    assert pictures(app) == 0
