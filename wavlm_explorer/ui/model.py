"""The model, in the sidebar: the bundled one or a checkpoint of the visitor's; and where it runs."""

import hashlib
import threading

import streamlit as st

from ..checkpoints import CheckpointError, available_devices, load_model
from ..wavlm import WavLM
from .memory import remember

BUNDLED = "nano (bundled)"
OWN = "your checkpoint"

ONE_AT_A_TIME = threading.Lock()  # models and traces are large: sessions take turns


def choose_model() -> WavLM | None:
    """Draw the widgets and return the chosen model; None while there is none.

    A file that is no checkpoint is explained, and the last good model stays.
    """
    st.subheader("Model")
    kind = st.selectbox(
        "Model", [BUNDLED, OWN], key="model", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    device = st.selectbox(
        "Device", ["auto", *available_devices()], key="device", bind="query-params", help="auto: a GPU if there is one."
    )
    try:
        model = _bundled("nano", str(device)) if kind == BUNDLED else _uploaded(str(device))
    except (CheckpointError, ValueError) as error:
        st.error(f"{error}", icon=":material/error:")
        model = st.session_state.get("_last_model")
    if model is not None:
        st.session_state["_last_model"] = model
        st.caption(_describe(model))
    return model


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _bundled(name: str, device: str) -> WavLM:
    return load_model(name, device)


@st.cache_resource(show_spinner=False, max_entries=2)
def _from_bytes(digest: str, device: str, _content: bytes, _name: str) -> WavLM:
    """One model for all sessions that uploaded the same bytes."""
    with ONE_AT_A_TIME:
        return load_model(_content, device, name=_name)


def _uploaded(device: str) -> WavLM | None:
    file = st.file_uploader(
        "Checkpoint", key="checkpoint", label_visibility="collapsed",
        help="A .pt file in the original's layout: WavLM-Base.pt, WavLM-Base+.pt, WavLM-Large.pt, or one like them.",
    )  # fmt: skip
    if file is None:
        return None
    digest = remember(
        "checkpoints", file.file_id, lambda: hashlib.blake2b(file.getbuffer(), digest_size=16).hexdigest(), capacity=1
    )
    with st.spinner(f"Loading {file.name}"):
        return _from_bytes(digest, device, file.getvalue(), file.name)


def _describe(model: WavLM) -> str:
    config = model.config
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    facts = [
        model.source.name,
        f"{config.encoder_layers} layers × {config.encoder_attention_heads} heads",
        f"{millions:.1f} M parameters",
        f"on {model.device}",
        "gated position bias"
        if config.gru_rel_pos and config.relative_position_embedding
        else "no gated position bias",
        "GLU" if config.activation_fn == "glu" else f"{config.activation_fn} feed-forward, no GLU",
        "input normalised" if config.normalize else "input as recorded",
    ]
    return " · ".join(facts)
