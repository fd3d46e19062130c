"""The door to WavLM Explorer: `streamlit run app.py`."""

import streamlit as st

from wavlm_explorer.ui.viewer.serving import ROUTES

app = st.App("wavlm_explorer/ui/__main__.py", routes=ROUTES)
