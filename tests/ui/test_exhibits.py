"""All that a page shows, as one file."""

import io
import zipfile

import numpy as np
import pytest
from traces import make_trace
from visits import open_page

from wavlm_explorer.figures import LIGHT
from wavlm_explorer.ui.exhibits import describe_choices, pack_exhibits
from wavlm_explorer.views import VIEWS, Exhibit, Note, Offer, Working


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_file_holds_every_picture_every_number_and_all_words(view):
    trace = make_trace()
    chosen = view.defaults(trace) | {"layer": 2}
    shown = list(view.exhibits(trace, LIGHT, **chosen))
    about = describe_choices(trace, chosen)
    assert about.startswith("sound through a WavLM built in code: ")
    assert "layer 2" in about
    with zipfile.ZipFile(io.BytesIO(pack_exhibits(about, shown))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    words = files.pop("about.txt").decode()
    assert words.startswith(about + "\n\n")
    for item in shown:
        if isinstance(item, Offer):  # nobody took it up
            continue
        if isinstance(item, Note):
            assert item.text in words
            continue
        if isinstance(item, Working):
            assert all(sentence in words and latex in words for sentence, latex in item.steps)
            continue
        assert isinstance(item, Exhibit)
        assert f"{item.name}: {item.caption}" in words
        assert files.pop(f"{item.name}.png").startswith(b"\x89PNG")
        assert b"<svg" in files.pop(f"{item.name}.svg")
        saved = np.load(io.BytesIO(files.pop(f"{item.name}.npz")))
        assert saved.files
        for name, array in item.arrays().items():
            np.testing.assert_array_equal(saved[name], array)
    assert files == {}


@pytest.mark.parametrize("page", [view.name for view in VIEWS[1:]])
def test_every_page_offers_it(page):
    app = open_page(page)
    assert not app.exception
    labels = [getattr(button, "label", "") for button in app.main.get("download_button")]
    assert labels.count("All pictures and numbers (ZIP)") == 1
