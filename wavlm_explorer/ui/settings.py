"""What a checkpoint may not tell of its config: how each setting is known, and what the visitor sets instead."""

from typing import Any

import streamlit as st

from ..checkpoints.geometry import nearest_release
from ..config import LARGE, LARGEST
from ..wavlm import WavLM
from .link import note, recall
from .markdown import literal

NOT_SET = "as the file says"
SWITCHES = {
    "normalize": ("Input", {False: "as recorded", True: "normalised"}),
    "layer_norm_first": ("Norm order", {False: "after each part, as in Base", True: "before each part, as in Large"}),
}
NAMES = {"normalize": "input", "layer_norm_first": "norm order", "max_distance": "largest distance"}
HELP = "What a file may not tell, and no shape betrays. What is set here holds whatever the file says."
MAX_REASONS = 8  # shown


def ask_settings(key: str) -> dict[str, Any]:
    """Draw the settings and return those that are set; another checkpoint starts with none.

    key: of the checkpoint.
    """
    if st.session_state.get("_settings_of", key) != key:
        st.session_state.update(dict.fromkeys(NAMES))
    st.session_state["_settings_of"] = key
    st.markdown("**Set by hand**", help=HELP)
    chosen: dict[str, Any] = {name: _ask_switch(name, label, values) for name, (label, values) in SWITCHES.items()}
    chosen["max_distance"] = _ask_distance()
    for name, value in chosen.items():
        note(name, value, None)
    return {name: value for name, value in chosen.items() if value is not None}


def _ask_switch(name: str, label: str, values: dict[bool, str]) -> bool | None:
    recall(name, None, lambda text: {"True": True, "False": False}.get(text))
    return st.selectbox(
        label, list(values), None, lambda value: values[value], key=name, placeholder=NOT_SET, persist_state="session"
    )


def _ask_distance() -> int | None:
    highest = LARGEST["max_distance"]
    recall("max_distance", None, lambda text: min(max(int(text), 1), highest))
    return st.number_input(
        "Largest distance (frames)", 1, highest, None, key="max_distance", placeholder=NOT_SET,
        persist_state="session", help="Farther frames share the last bucket. Every release has 800.",
    )  # fmt: skip


def in_a_line(model: WavLM) -> list[str]:
    """Say in short what was assumed, set by hand, left out, filled in and converted."""
    source = model.source
    settings = [name for name in NAMES if name != "max_distance" or model.config.relative_position_embedding]
    assumed = [NAMES[name] for name in settings if source.fields.get(name) == "assumed"]
    by_hand = [NAMES[name] for name in settings if source.fields.get(name) == "overridden"]
    counts = ((source.ignored, "left out"), (source.filled, "filled in"), (source.notes, "converted"))
    changes = [f"{len(found)} {what}" for found, what in counts if found]
    return [
        *([f":material/help: Assumed {_as_in(model)}: {', '.join(assumed)}"] if assumed else []),
        *([f":material/tune: Set by hand: {', '.join(by_hand)}"] if by_hand else []),
        *([f":material/inventory_2: Tensors: {', '.join(changes)}"] if changes else []),
    ]


def in_detail(model: WavLM) -> str:
    """Say in markdown how each setting is known, and what became of tensors that are not simply used."""
    config, source = model.config, model.source
    known = {
        "input": ("normalised" if config.normalize else "as recorded", "normalize"),
        "norm order": ("before each part" if config.layer_norm_first else "after each part", "layer_norm_first"),
        "largest distance": (f"{config.max_distance} frames", "max_distance"),
        "activation": (config.activation_fn, "activation_fn"),
    }
    how = {"read": "read from the file", "inferred": "told by shapes", "overridden": "set by hand"}
    lines = ["**How it was read**"]
    for label, (value, name) in known.items():
        provenance = source.fields.get(name, "assumed")
        lines.append(f"- {label}: {value}, {how.get(provenance, f'assumed {_as_in(model)}')}")
    lines += [f"- converted: {literal(text)}" for text in source.notes]
    lines += [f"- filled in: `{name}`, {why}" for name, why in source.filled.items()]
    reasons: dict[str, list[str]] = {}
    for name, why in source.ignored.items():
        reasons.setdefault(why, []).append(name)
    for why, names in list(reasons.items())[:MAX_REASONS]:
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"- left out: {literal(names[0][:80])}{others}, {literal(why)}")
    return "\n".join(lines)


def _as_in(model: WavLM) -> str:
    """Say whose setting stands where the file is silent."""
    if model.source.format == "microsoft" and "read" in model.source.fields.values():
        return "by the original's default"
    return "as in Large" if nearest_release(vars(model.config)) is LARGE else "as in Base"
