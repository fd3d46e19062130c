"""A picture on the page: as sharp as the page can show it, and never so small that nobody can read it."""

import streamlit as st

from ..figures.style import Picture

SCREEN_DPI = 165  # sharp on a fine screen, drawn twice as fast as what is saved
MOST_PIXELS = 1460  # across; Streamlit makes a wider picture smaller, which takes longer than drawing it


def show_picture(picture: Picture, name: str, words: str) -> None:
    """Show a picture over the width of its place; where that is too narrow for a wide one, it is moved sideways.

    name: its own on the page, of letters, digits and underscores. words: for those who do not see it.
    """
    key, least = f"picture_{name}", picture.least_pixels
    if least:
        st.html(f"<style>.st-key-{key} {{ overflow-x: auto; }} .st-key-{key} img {{ min-width: {least}px; }}</style>")
    with st.container(key=key):
        file = picture.to_bytes("png", min(SCREEN_DPI, MOST_PIXELS / picture.get_figwidth()), compression=1)
        st.image(file, width="stretch", alt=words)
