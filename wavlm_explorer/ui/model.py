"""The model, in the sidebar: which checkpoint, what is set by hand, and where it runs."""

import dataclasses
from typing import Any

import streamlit as st

from ..checkpoints import CheckpointError, load_model
from ..devices import available_devices
from ..tracing import Trace
from ..wavlm import WavLM
from .checkpoint import choose_checkpoint, what_to_do
from .markdown import literal
from .memory import remember
from .reference import BUNDLED, Reference
from .settings import ask_settings, in_a_line, in_detail
from .turns import ONE_AT_A_TIME


@dataclasses.dataclass(frozen=True)
class Selection:
    """What the sidebar says. The model can be another than the one referred to: the last that could be loaded."""

    reference: Reference | None
    overrides: dict[str, Any]
    model: WavLM | None
    trace: Trace | None = None  # that was opened; its model is not whole

    @property
    def advice(self) -> str:
        """What to do where no checkpoint is chosen."""
        if self.trace is not None:
            return (
                "A trace is open. What this page needs, the whole checkpoint, did not come with it: choose a sample or "
                "a recording in the sidebar, and then a checkpoint."
            )
        return what_to_do(st.session_state.get("model"))


def show_model(trace: Trace) -> Selection:
    """Say with which model a trace came, in the place where one is chosen; Streamlit keeps what was chosen there."""
    st.subheader("Model")
    st.caption(
        "It came with the trace: its layers, not what hears another sound. For another sound or model, choose a sample "
        "or a recording above."
    )
    st.caption(_describe(trace.model.source.name, trace.model))
    return Selection(None, {}, trace.model, trace)


def choose_model(doctor: Any) -> Selection:
    """Draw the widgets and return what is chosen.

    A checkpoint that cannot be loaded is explained and the last good model stays.
    doctor: what Streamlit needs to lead to the doctor's page; None when that is the page.
    """
    st.subheader("Model")
    reference: Reference | None = None
    overrides: dict[str, Any] = {}
    found: WavLM | Exception | None = None
    try:
        reference = choose_checkpoint("model")
    except (CheckpointError, OSError, ValueError) as error:
        found = error
    place = st.container()
    device = st.selectbox(
        "Device", ["auto", *available_devices()], key="device", bind="query-params", help="auto: a GPU if there is one."
    )
    with place:
        trouble, facts = st.container(), st.container(horizontal=True, wrap=False, vertical_alignment="center")
        with facts:
            caption = st.empty()
            details = _draw_details(reference)
        if reference is not None:
            with details:
                overrides = {} if reference.key == BUNDLED else ask_settings(reference.key)
            with trouble:
                found = _load(reference, device, overrides)
    if isinstance(found, WavLM) and reference is not None:
        st.session_state["_last_model"] = (reference.name, found)
        if reference.key != BUNDLED:
            details.markdown(in_detail(found))
    elif isinstance(found, Exception):
        _refuse(trouble, found, doctor if reference else None)
    name, model = st.session_state.get("_last_model", ("", None)) if found is not None else ("", None)
    if model is not None:
        caption.caption(_describe(name, model), width="stretch")
    return Selection(reference, overrides, model)


def _draw_details(reference: Reference | None) -> Any:
    if reference is None or reference.key == BUNDLED:
        return st.empty()
    return st.popover("", icon=":material/tune:", type="tertiary", help="How it was read, and what to set by hand")


def _load(reference: Reference, device: str, overrides: dict[str, Any]) -> WavLM | Exception:
    """Return the model, or why there is none: a file that was refused is not read again at every click."""
    if reference.key == BUNDLED:
        return _bundled(device)
    settings = tuple(overrides.items())

    def attempt() -> WavLM | Exception:
        try:
            with st.spinner(f"Loading {literal(reference.name)}"):
                return _shared(reference.key, device, settings, reference)
        except (CheckpointError, OSError, ValueError) as error:
            return error

    try:
        return remember("model", (reference.key, device, settings), attempt, capacity=1)
    except (MemoryError, RuntimeError) as error:  # PyTorch tells of missing memory by a RuntimeError
        return error


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _bundled(device: str) -> WavLM:
    return load_model(BUNDLED, device)


@st.cache_resource(show_spinner=False, max_entries=2)
def _shared(key: str, device: str, settings: tuple[tuple[str, Any], ...], _reference: Reference) -> WavLM:
    """One model for all sessions that chose the same bytes; what each of them calls it stays its own affair."""
    with ONE_AT_A_TIME.turn():
        model = load_model(_reference.open(), device, **dict(settings))
    model.source = dataclasses.replace(model.source, name="checkpoint")
    return model


def _refuse(place: Any, error: Exception, doctor: Any) -> None:
    with place:
        st.error(literal(error) or "There is not enough memory for this model.", icon=":material/error:")
        if doctor is not None:
            st.page_link(doctor, label="**Ask the doctor**", icon=":material/stethoscope:")
        if "_last_model" in st.session_state:
            st.caption(f"The views still show {literal(st.session_state['_last_model'][0])}.")


def _describe(name: str, model: WavLM) -> str:
    config = model.config
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    gated = "gated" if config.gru_rel_pos else "ungated"
    facts = [
        literal(name),
        f"{config.encoder_layers} layers × {config.encoder_attention_heads} heads",
        f"{millions:.1f} M parameters",
        f"on {model.device}",
        f"{gated} position bias" if config.relative_position_embedding else "no position bias",
        "GLU" if config.activation_fn == "glu" else f"{config.activation_fn} feed-forward, no GLU",
        "input normalised" if config.normalize else "input as recorded",
    ]
    return "  \n".join([" · ".join(facts), *(in_a_line(model) if name != BUNDLED else [])])
