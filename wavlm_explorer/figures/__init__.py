"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .attention import attention_heads, attention_map, attention_terms
from .style import DARK, LIGHT, Palette, Picture

__all__ = ["DARK", "LIGHT", "Palette", "Picture", "attention_heads", "attention_map", "attention_terms"]
