"""The page: the only place that knows Streamlit. It turns views into widgets and pictures."""

from .shell import main

__all__ = ["main"]
