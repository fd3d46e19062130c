"""The door to WavLM Explorer: `streamlit run app.py`."""

from wavlm_explorer.ui import main

main()
