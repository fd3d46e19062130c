"""Pictures for the screen, without a browser."""

import io

import pytest
from PIL import Image

from wavlm_explorer.figures.style import Picture
from wavlm_explorer.ui import picture


@pytest.mark.parametrize(("inches", "pixels", "is_wide"), [(5.75, 948, False), (7.0, 1155, False), (11.5, 1460, True)])
def test_a_picture_is_drawn_as_wide_as_streamlit_leaves_it(inches, pixels, is_wide, monkeypatch):
    files, styles = [], []
    monkeypatch.setattr(picture.st, "image", lambda file, **_: files.append(file))
    monkeypatch.setattr(picture.st, "html", styles.append)
    picture.show_picture(Picture(inches, 1.0), "some_picture", "what it shows")
    assert Image.open(io.BytesIO(files[0])).width == pixels
    assert len(styles) == is_wide
    assert all(".st-key-picture_some_picture img { min-width: 805px; }" in style for style in styles)
