"""Choosing a checkpoint: the bundled one, by name from the Hub, an upload, or a path that the owner allows."""

import os
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from ..checkpoints.hub import NAMES, fetch, find_cached
from .folders import allowed_folders, find_allowed, list_checkpoints
from .link import note, recall
from .markdown import literal
from .reference import Reference, refer_to_bundled, refer_to_path, refer_to_upload

HUB_VARIABLE = "WAVLM_EXPLORER_HUB"  # "any": visitors may fetch any id with the owner's network, disk and token
RELEASED = {"WavLM Base": "base", "WavLM Base+": "base-plus", "WavLM Large": "large"}
MEGABYTES = {"base": 378, "base-plus": 378, "large": 1262}
BUNDLED, BY_NAME, OWN, ON_SERVER = "nano (bundled)", "Hugging Face id", "your checkpoint", "on this server"


def choose_checkpoint(key: str) -> Reference | None:
    """Draw the widgets and return what is chosen; None while there is nothing.

    key: of the menu, in the session and in the link. Raises: CheckpointError, OSError or ValueError.
    """
    names = [BUNDLED, *RELEASED, *([BY_NAME] if _may_fetch_any() else []), OWN]
    names += [ON_SERVER] if allowed_folders() else []
    kind = st.selectbox(
        "Checkpoint", names, index=0 if key == "model" else None, key=key, bind="query-params",
        label_visibility="collapsed", placeholder="Choose a checkpoint",
    )  # fmt: skip
    for detail, belongs_to in ((f"{key}_id", BY_NAME), (f"{key}_file", ON_SERVER)):
        if kind != belongs_to:
            st.query_params.pop(detail, None)
    if kind in RELEASED:
        return _from_hub(RELEASED[kind], f"{key}_download")
    choose = {BY_NAME: _choose_by_name, OWN: _choose_upload, ON_SERVER: _choose_on_server}.get(str(kind))
    if choose:
        return choose(key)
    return refer_to_bundled() if kind == BUNDLED else None


def what_to_do(kind: str | None) -> str:
    """Say what to do where a choice has not led to a checkpoint yet."""
    if kind in RELEASED:
        return f"{kind} is not on this machine yet: fetch it in the sidebar."
    if kind == BY_NAME:
        return "Type an id of the Hugging Face Hub into the sidebar, such as `microsoft/wavlm-base-plus-sv`."
    if kind == ON_SERVER:
        return "Choose a checkpoint of this server in the sidebar."
    return (
        "Drop a checkpoint into the sidebar: a `.pt` file such as `WavLM-Base.pt`, or `model.safetensors` with its "
        "`config.json`."
    )


def _may_fetch_any() -> bool:
    return os.environ.get(HUB_VARIABLE, "") == "any"


def _choose_by_name(key: str) -> Reference | None:
    field = f"{key}_id"
    recall(field, "", str)
    name = st.text_input(
        "Hugging Face id", key=field, placeholder="owner/name", label_visibility="collapsed", max_chars=200,
        persist_state="session", help="An id, such as microsoft/wavlm-base-plus-sv; @ adds a revision.",
    ).strip()  # fmt: skip
    note(field, name, "")
    return _from_hub(name, f"{key}_download") if name else None


def _from_hub(name: str, key: str) -> Reference | None:
    """Open what was fetched before; else offer to fetch it."""
    folder = find_cached(name)
    if folder is None:
        size = f"{MEGABYTES[name]:,} MB from" if name in MEGABYTES else "from"
        if not st.button(f"Fetch {size} Hugging Face", icon=":material/download:", key=key, width="stretch"):
            st.caption(f"{literal(NAMES.get(name, name))} is not on this machine yet. It is kept for the next time.")
            return None
        folder = _fetch(name)
    return refer_to_path(folder, NAMES.get(name, name))


def _fetch(name: str) -> Path:
    bar, context = st.progress(0.0, "Asking Hugging Face"), get_script_run_ctx()

    def report(share: float, text: str) -> None:
        add_script_run_ctx(ctx=context)  # the Hub's library reports from threads of its own
        bar.progress(share, literal(text))

    try:
        return fetch(name, report)
    finally:
        bar.empty()


def _choose_upload(key: str) -> Reference | None:
    box, remembered = "checkpoint" if key == "model" else f"{key}_checkpoint", f"_{key}_upload"
    files = st.file_uploader(
        "Checkpoint", key=box, label_visibility="collapsed", accept_multiple_files=True,
        on_change=lambda: st.session_state.pop(remembered, None),
    )  # fmt: skip
    if not files and remembered not in st.session_state:
        larger = (
            f"choose “{ON_SERVER}” above" if allowed_folders() else "start it with `wavlm-explorer run --folder FOLDER`"
        )
        st.caption(
            "Any WavLM: .pt, .pth, .bin, .ckpt or .safetensors; beside weights of Hugging Face also their config.json "
            f"and preprocessor_config.json. To open larger files by path, {larger}."
        )
    if files and remembered not in st.session_state:
        st.session_state[remembered] = refer_to_upload([(file.name, file.getvalue()) for file in files])
    return st.session_state.get(remembered)  # survives a look at another model, until its own box is emptied


def _choose_on_server(key: str) -> Reference | None:
    field = f"{key}_file"
    names = _listed(tuple(allowed_folders()))
    recall(field, None, str)
    name = st.selectbox(
        "File", names, key=field, label_visibility="collapsed", accept_new_options=True, persist_state="session",
        placeholder="Choose or type a path", help="What lies in the folders that the server's owner allows.",
    )  # fmt: skip
    note(field, name, None)
    return refer_to_path(find_allowed(name)) if name else None


@st.cache_data(show_spinner=False, ttl=10)
def _listed(folders: tuple[Path, ...]) -> list[str]:
    return list_checkpoints()
