"""save_model: a WavLM as a file of the original's layout, or as a Hugging Face folder."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Literal

import torch

from ..wavlm import WavLM
from .huggingface import config_to_huggingface, preprocessor_for
from .layouts import name_in

SavedLayout = Literal["microsoft", "huggingface"]


def save_model(model: WavLM, path: str | Path, layout: SavedLayout | None = None) -> Path:
    """Save a model bit for bit, for other code to load; returns the path.

    layout: "microsoft", one file with the original's `cfg` and `model`; "huggingface", a folder with config.json,
    preprocessor_config.json and model.safetensors, as `WavLMModel.from_pretrained` reads it. None goes by the path:
    a file that ends in .pt, .pth or .bin is the original's.

    What is being written appears under its name only when it is whole.

    Raises: ValueError for another layout, or a model that the layout cannot express (Hugging Face's has no GLU).
    """
    path = Path(path).expanduser()
    if layout is None:
        layout = "microsoft" if path.suffix in (".pt", ".pth", ".bin") else "huggingface"
    if layout not in ("microsoft", "huggingface"):
        raise ValueError(f"layout: expected 'microsoft' or 'huggingface'; found {layout!r}")
    if layout == "microsoft":
        _save_microsoft(model, path)
    else:
        _save_huggingface(model, path)
    return path


def _save_microsoft(model: WavLM, path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    torch.save({"cfg": dataclasses.asdict(model.config), "model": state}, partial)
    os.replace(partial, path)


def _save_huggingface(model: WavLM, folder: Path) -> None:
    from safetensors.torch import save_file

    config = config_to_huggingface(model.config)
    state = {
        name_in("huggingface", name): tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.safetensors.partial"
    save_file(state, partial, metadata={"format": "pt"})
    for name, content in (("config.json", config), ("preprocessor_config.json", preprocessor_for(model.config))):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    os.replace(partial, folder / "model.safetensors")
