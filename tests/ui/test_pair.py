"""The page of two stretches, without a browser: what is chosen at first, by link, and after bad input."""

import pytest
from visits import errors, open_page, pictures, wav

PAGE = "side-by-side"


def test_it_begins_with_one_word_from_two_voices():
    app = open_page(PAGE, sample="Two voices")
    assert not app.exception
    chosen = [str(app.selectbox(key=f"{side}_part").value) for side in "ab"]
    assert [text.split(" ·")[0] for text in chosen] == ["morning", "morning"]
    assert chosen[0] != chosen[1]
    assert pictures(app) == 3


def test_without_a_word_twice_it_begins_with_two_words():
    app = open_page(PAGE, sample="A pause")
    chosen = [str(app.selectbox(key=f"{side}_part").value) for side in "ab"]
    assert chosen[0] != chosen[1]
    assert all(" · words, " in text for text in chosen)


def test_another_sample_is_heard_by_the_same_model():
    app = open_page(PAGE, other_sound="sample", other_sample="A pause", b_part_of_two="from … to …")
    assert not app.exception
    assert app.slider(key="b_part_of_two_times").value[0] > 1
    assert pictures(app) == 3
    assert not errors(app)


def test_a_link_carries_the_times():
    app = open_page(PAGE, a_part="from … to …", a_part_times="0.50to1.50")
    assert app.slider(key="a_part_times").value == (0.5, 1.5)
    assert app.query_params["a_part_times"] == "0.50to1.50"


@pytest.mark.parametrize("times", ["", "1to", "nantonan", "9to1", "-5to99", "x"])
def test_times_that_make_no_sense_do_no_harm(times):
    app = open_page(PAGE, a_part="from … to …", a_part_times=times)
    assert not app.exception
    assert pictures(app) == 3


def test_a_recording_that_is_none_is_explained_and_a_good_one_is_heard():
    app = open_page(PAGE, other_sound="upload")
    assert pictures(app) == 0
    app.file_uploader(key="other_recording").set_value(("broken.wav", b"no sound", "audio/wav")).run()
    assert any("broken.wav" in text for text in errors(app))
    app.file_uploader(key="other_recording").set_value(("tone.wav", wav(), "audio/wav")).run()
    assert not errors(app)
    assert pictures(app) == 3
