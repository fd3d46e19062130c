"""What the viewer is measured against: attention maps as a plain Streamlit app draws them, at every step of a slider.

The link says which: ?way=pyplot|png & frames=500 & heads=1|12, or heads=144 for an atlas.
"""

import io
import math

import numpy as np
import streamlit as st
from matplotlib.figure import Figure

STEPS = 8  # of the slider, each with maps of its own
SCREEN_DPI = 100


@st.cache_resource
def make_maps(frames: int, heads: int) -> np.ndarray:
    """[steps, heads, queries, keys]: a diagonal and noise, as heads have them."""
    random = np.random.default_rng(0)
    distance = np.abs(np.subtract.outer(np.arange(frames), np.arange(frames)))
    logits = random.normal(size=(STEPS, heads, frames, frames)).astype(np.float32) - distance / 20
    weights = np.exp(logits)
    return weights / weights.sum(-1, keepdims=True)


def draw(maps: np.ndarray) -> Figure:
    """One axes a head."""
    columns = math.ceil(math.sqrt(len(maps)))
    figure = Figure(figsize=(7, 7))
    for index, weights in enumerate(maps):
        axes = figure.add_subplot(math.ceil(len(maps) / columns), columns, index + 1)
        axes.imshow(np.sqrt(weights), cmap="magma", vmin=0, vmax=1, interpolation="nearest")
        if len(maps) > 1:
            axes.set(xticks=[], yticks=[])
    return figure


@st.fragment
def show() -> None:
    """Draw what the slider says."""
    way, frames, heads = st.query_params["way"], int(st.query_params["frames"]), int(st.query_params["heads"])
    step = st.slider("Step", 0, STEPS - 1, 0)
    figure = draw(make_maps(frames, heads)[step])
    if way == "pyplot":
        st.pyplot(figure)
    else:
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=SCREEN_DPI)
        st.image(buffer.getvalue())


show()
