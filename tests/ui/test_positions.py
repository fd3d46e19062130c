"""The page of relative positions: what is chosen against the model's own, and what becomes of it with another model."""

import pytest
from models import make_model
from oracles import TINY
from visits import errors, open_page, pictures

import wavlm_explorer as wx


def chosen(app):
    return tuple(app.session_state[name] for name in ("bucket_rows", "bucket_reach", "bucket_sides"))


def test_a_link_opens_other_settings():
    app = open_page("buckets", bucket_rows="8", bucket_reach="64", bucket_sides="past only")
    assert not app.exception
    assert chosen(app) == (8, 64, "past only")
    assert pictures(app) == 6


@pytest.mark.parametrize("first", [{}, {"bucket_rows": 8, "bucket_reach": 64}])
def test_another_model_starts_with_its_own_settings(tmp_path, first):
    app, path = open_page("buckets"), wx.save_model(make_model(), tmp_path / "mine.pt")
    assert chosen(app)[:2] == (64, 256)
    for name, value in first.items():
        app.slider(key=name).set_value(value).run()
        assert app.query_params[name] == str(value)
    app.selectbox(key="model").set_value("your checkpoint").run()
    app.file_uploader(key="checkpoint").upload(path.name, path.read_bytes()).run()
    assert not app.exception
    assert errors(app) == []
    assert chosen(app)[:2] == (TINY.num_buckets, TINY.max_distance)
    assert not [name for name in app.query_params if name.startswith("bucket_")]
    app.slider(key="bucket_rows").set_value(16).run()
    assert chosen(app)[0] == 16
