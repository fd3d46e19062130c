"""The door to WavLM Explorer: `streamlit run app.py`."""

import streamlit as st

from wavlm_explorer.ui.viewer.serving import ROUTES, answer_at_once

app = st.App("wavlm_explorer/ui/__main__.py", routes=ROUTES, lifespan=answer_at_once)
