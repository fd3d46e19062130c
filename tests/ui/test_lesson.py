"""The page of the lesson as its visitor meets it."""

import pytest
from visits import choose, errors, open_page, pictures, wav

from wavlm_explorer.lesson import CHAPTERS


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    assert errors(app) == []


def progress(app):
    return next(caption.value for caption in app.main.caption if caption.value.startswith("Chapter "))


@pytest.fixture(scope="module")
def app():
    return open_page("lesson")


def test_every_chapter_opens_with_its_try_yet_to_be_done(app):
    assert not app.exception
    assert app.title[0].value == "Lesson"
    for number, chapter in enumerate(CHAPTERS, 1):
        assert app.header[0].value == f"{number} · {chapter.title}"
        assert progress(app) == f"Chapter {number} of 13 · 0 of 13 tries done"
        assert not app.success
        assert pictures(app) >= 1
        assert app.expander[0].markdown[0].value == chapter.answer
        if number < len(CHAPTERS):
            press(app, "Next chapter")
    assert next(button for button in app.button if button.label == "Next chapter").disabled
    assert app.query_params["chapter"] == "13"


def test_a_try_is_noticed_and_remembered(app):
    app.segmented_control(key="chapter").set_value(7).run()
    assert [app.slider(key=name).value for name in ("layer", "head")] == [5, 5]
    app.slider(key="layer").set_value(4).run()
    assert not app.success
    app.slider(key="head").set_value(4).run()
    assert "looks back" in app.success[0].value
    assert progress(app) == "Chapter 7 of 13 · 1 of 13 tries done"
    assert app.query_params["tried"] == "7"
    assert "7 ✓" in app.segmented_control(key="chapter").proto.options[6].content
    press(app, "Previous")
    assert app.header[0].value.startswith("6 ·")
    assert not app.success
    press(app, "Next chapter")
    assert not app.success  # the chapter begins anew
    assert any("Done before" in caption.value for caption in app.main.caption)
    assert progress(app) == "Chapter 7 of 13 · 1 of 13 tries done"


def test_who_has_moved_nothing_has_tried_nothing():
    """In a clip of one frame every layer looks equally far, so the chapter's beginning would do."""
    app = choose(open_page("lesson", chapter="8"), "Upload")
    app.file_uploader(key="upload").upload("tick.wav", wav(0.03)).run()
    assert not app.exception
    assert app.header[0].value.startswith("8 ·")
    assert "That is the nearest" in " ".join(caption.value for caption in app.main.caption)
    assert not app.success


def test_a_link_opens_its_chapter_at_its_place():
    app = open_page("lesson", chapter="6", layer="1", head="0", frame="220", tried="1-2")
    assert not app.exception
    assert app.header[0].value == "6 · The gate"
    assert [app.slider(key=name).value for name in ("layer", "head", "frame")] == [1, 0, 220]
    assert progress(app) == "Chapter 6 of 13 · 2 of 13 tries done"


def test_another_sound_begins_the_chapter_anew():
    app = open_page("lesson", chapter="1", frame="49")
    assert app.success
    app.selectbox(key="sample").set_value("vowels").run()
    assert not app.exception
    assert app.slider(key="frame").value == 0
    assert not app.success
    assert app.query_params["tried"] == "1"


@pytest.mark.parametrize("link", [{"chapter": "0"}, {"chapter": "14"}, {"chapter": "x"}, {"tried": "1-99"}])
def test_a_link_that_makes_no_sense_opens_the_first_chapter(link):
    app = open_page("lesson", **link)
    assert not app.exception
    assert app.header[0].value.startswith("1 ·")
    assert "0 of 13 tries" in progress(app)
