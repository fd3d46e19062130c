"""The script that Streamlit runs for `wavlm-explorer run`."""

from wavlm_explorer.ui import main

if __name__ == "__main__":
    main()
