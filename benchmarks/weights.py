"""The same random weights for everybody, in the layouts that the explorer itself exports."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wavlm_explorer import BASE, LARGE, WavLM, WavLMConfig, save_model
from wavlm_explorer.checkpoints.layouts import name_in

GEOMETRIES = {"Base": BASE, "Large": LARGE}
CACHE = Path(__file__).parents[1] / ".cache" / "benchmarks"
ORIGINAL = "original.pt"
HUGGING_FACE = "huggingface"
SPREAD = 0.02  # moves the parameters that start as zeros and ones, so that no exchange of two goes unseen


def prepare(config: WavLMConfig, folder: Path) -> Path:
    """Make a model of this geometry from a fixed seed and save it in both layouts, unless it is there; the folder."""
    if (folder / ORIGINAL).exists() and (folder / HUGGING_FACE / "model.safetensors").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = WavLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(SPREAD * torch.randn_like(parameter))
    save_model(model, folder / ORIGINAL)
    save_model(model, folder / HUGGING_FACE)
    return folder


def read_original(folder: Path) -> dict[str, Any]:
    """The original's file: `cfg`, the fields of the config, and `model`, the state dict."""
    return torch.load(folder / ORIGINAL, map_location="cpu", weights_only=True)


def torchaudio_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The original's tensors under torchaudio's names: the projections of queries, keys and values are one there."""
    renamed = {name_in("torchaudio", name): tensor for name, tensor in state.items() if name != "mask_emb"}
    for name in [name for name in renamed if ".q_proj." in name]:
        parts = [renamed.pop(name.replace(".q_proj.", f".{part}_proj.")) for part in "qkv"]
        renamed[name.replace(".q_proj.", ".in_proj_")] = torch.cat(parts)
    return renamed
