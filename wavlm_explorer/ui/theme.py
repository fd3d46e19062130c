"""Whether the page is light or dark, so that pictures match it."""

import streamlit as st
from streamlit.components.v2 import component

from ..figures.style import DARK, LIGHT, Palette

# Streamlit tells Python of a theme only at the next rerun, and on the first run wrongly. The browser knows: this
# component, which draws nothing, reports how bright the page's background is whenever that changes.
_REPORT = """
export default function ({ parentElement, setStateValue, data }) {
  const style = getComputedStyle(parentElement.querySelector("span"));
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = style.getPropertyValue("--st-background-color") || "white";
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  const brightness = red + green + blue < 384 ? "dark" : "light";
  if (brightness !== data.brightness) setStateValue("brightness", brightness);
}
"""
_probe = component("wavlm_explorer_theme", html="<span></span>", js=_REPORT)


def current_palette() -> Palette:
    """Return the palette of the page as the browser shows it; if that differs from the last run, a rerun follows."""
    known = st.session_state.get("theme_probe", {}).get("brightness") or st.context.theme.type or "light"
    with st.container(height=1, border=False):
        _probe(
            key="theme_probe",
            data={"brightness": known},
            default={"brightness": known},
            on_brightness_change=lambda: None,
        )
    return DARK if known == "dark" else LIGHT
