"""All that a page shows, as one file."""

import csv
import io
import re
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest
from traces import make_trace
from visits import open_page

import wavlm_explorer as wx
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.ui import exhibits
from wavlm_explorer.ui.exhibits import describe_choices, pack_exhibits
from wavlm_explorer.ui.page import INSTRUMENTS
from wavlm_explorer.views import VIEWS, Exhibit, Note, Offer, Table, Working

BY_NAME = {view.name: view for view in VIEWS}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_file_holds_every_picture_every_number_and_all_words(view):
    trace = make_trace()
    chosen = view.defaults(trace)
    shown = list(view.exhibits(trace, LIGHT, **chosen))
    about = describe_choices(trace, chosen)
    assert about.startswith("sound through a WavLM built in code: ")
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
        if isinstance(item, Table):
            assert f"{item.name}: {item.caption}" in words
            columns, *rows = csv.reader(io.StringIO(files.pop(f"{item.name}.csv").decode()))
            assert tuple(columns) == item.columns
            assert [[float(cell) for cell in row] for row in rows] == [list(row) for row in item.rows]
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


@pytest.mark.parametrize("page", [view.name for view in VIEWS if view.name not in INSTRUMENTS])
def test_every_page_offers_it(page):
    app = open_page(page)
    assert not app.exception
    labels = [getattr(button, "label", "") for button in app.main.get("download_button")]
    assert labels[-2:] == ["All pictures and numbers (ZIP)", "Report (HTML)"]


class Buttons:
    """Stands for Streamlit: remembers what a download button would save, by its file."""

    def __init__(self):
        self.saved = {}

    def container(self, **_):
        return nullcontext()

    def download_button(self, label, make, file, *_, **__):
        self.saved[file] = make


def test_the_report_holds_what_is_shown_and_draws_only_what_is_not(monkeypatch):
    trace, view = make_trace(), BY_NAME["gate"]
    chosen, drawn = view.defaults(trace) | {"layer": 0, "frame": 7}, []

    def make_items(palette):
        drawn.append(palette)
        return view.exhibits(trace, palette, **chosen)

    monkeypatch.setattr(exhibits, "st", buttons := Buttons())
    shown = list(make_items(DARK))
    exhibits.offer_view(view, trace, DARK, chosen, shown, make_items)
    page = buttons.saved["gate.html"]()
    assert drawn == [DARK, LIGHT]
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == ["Gate"]
    assert page.count("<img") == sum(isinstance(item, Exhibit) for item in shown)
    assert "in frame 7, the gate of head 0" in page
    expected = wx.make_report(trace, ["gate"], None, **chosen).to_html()
    assert page == expected
    with zipfile.ZipFile(io.BytesIO(buttons.saved["gate.zip"]())) as archive:
        assert archive.read("about.txt").startswith(b"sound through a WavLM built in code: layer 0, head 0, frame 7")
    assert drawn == [DARK, LIGHT]


def test_what_does_not_fit_is_told_in_the_file_too():
    def items():
        yield Note("First.")
        raise MemoryError("9 GB")

    shown = exhibits.show_exhibits(items())
    assert shown == [Note("First."), Note("This could not be computed here: 9 GB")]
