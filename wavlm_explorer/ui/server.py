"""The same door for `wavlm-explorer run`: the page, and beside it the route that brings the viewer its arrays."""

import streamlit as st

from wavlm_explorer.ui.viewer.serving import ROUTES, answer_at_once

app = st.App("__main__.py", routes=ROUTES, lifespan=answer_at_once)
