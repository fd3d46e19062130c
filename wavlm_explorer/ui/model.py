"""The model, in the sidebar: the bundled one or a checkpoint of the visitor's; and where it runs."""

import hashlib
import threading

import streamlit as st

from ..checkpoints import CheckpointError, available_devices, load_model
from ..wavlm import WavLM

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
    box = st.container()
    device = st.selectbox(
        "Device", ["auto", *available_devices()], key="device", bind="query-params", help="auto: a GPU if there is one."
    )
    try:
        with box:
            name, model = ("nano", _bundled("nano", device)) if kind == BUNDLED else _choose_own(device)
    except (CheckpointError, ValueError) as error:
        st.error(f"{error}", icon=":material/error:")
        name, model = st.session_state.get("_last_model", ("", None))
    if model is not None:
        st.session_state["_last_model"] = (name, model)
        st.caption(_describe(name, model))
    return model


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _bundled(name: str, device: str) -> WavLM:
    return load_model(name, device)


@st.cache_resource(show_spinner=False, max_entries=2)
def _from_bytes(digest: str, device: str, _content: bytes) -> WavLM:
    """One model for all sessions that uploaded the same bytes; what each of them calls it stays its own affair."""
    with ONE_AT_A_TIME:
        return load_model(_content, device)


def _choose_own(device: str) -> tuple[str, WavLM | None]:
    remembered = "_own_model"  # survives a look at the bundled model, until its own box is emptied
    file = st.file_uploader(
        "Checkpoint", key="checkpoint", label_visibility="collapsed",
        on_change=lambda: st.session_state.pop(remembered, None),
        help="A .pt file in the original's layout: WavLM-Base.pt, WavLM-Base+.pt, or one like them. For WavLM-Large.pt "
        "(1.2 GB) start the page with `--server.maxUploadSize 1500`.",
    )  # fmt: skip
    if file is not None and st.session_state.get(remembered, ("", "", None))[1] != device:
        digest = hashlib.blake2b(file.getbuffer(), digest_size=16).hexdigest()
        with st.spinner(f"Loading {file.name}"):
            st.session_state[remembered] = (file.name, device, _from_bytes(digest, device, file.getvalue()))
    name, _, model = st.session_state.get(remembered, ("", "", None))
    return name, model


def _describe(name: str, model: WavLM) -> str:
    config = model.config
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    gated = "gated" if config.gru_rel_pos else "ungated"
    facts = [
        name,
        f"{config.encoder_layers} layers × {config.encoder_attention_heads} heads",
        f"{millions:.1f} M parameters",
        f"on {model.device}",
        f"{gated} position bias" if config.relative_position_embedding else "no position bias",
        "GLU" if config.activation_fn == "glu" else f"{config.activation_fn} feed-forward, no GLU",
        "input normalised" if config.normalize else "input as recorded",
    ]
    return " · ".join(facts)
