"""The birth of the heads: what the snapshots of a run know, small enough to ship and to play back."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wavlm_explorer import Audio, Trace, WavLM, trace

from .recipe import nano_config

MAP_SIZE = 80  # cells along either side of a stored map: twelve times 36 of them stay under 3 MB


def pooled_maps(traced: Trace) -> Float[Tensor, "layers heads rows columns"]:
    """Every head's map, each cell the maximum of the weights it stands for: thin diagonals survive."""
    return torch.stack(
        [
            torch.nn.functional.adaptive_max_pool2d(traced.attention(layer), MAP_SIZE)
            for layer in range(traced.num_layers)
        ]
    )


def quantise(maps: Float[Tensor, "*heads rows columns"]) -> tuple[UInt8[np.ndarray, "..."], np.ndarray]:
    """One byte a cell, 255 for the maximum of its row, and those maxima [*heads, rows] in half precision."""
    peaks = maps.amax(dim=-1).half()
    cells = (maps / peaks.float()[..., None].clamp(min=1e-7) * 255).round().clamp(max=255)
    return cells.to(torch.uint8).numpy(), peaks.numpy()


def load_snapshot(path: Path) -> tuple[WavLM, dict]:
    """The model as it was at that step, and the rest of what was kept."""
    content = torch.load(path, weights_only=True)
    model = WavLM(nano_config())
    state = {name.removeprefix("model."): tensor for name, tensor in content["task"].items() if "model." in name}
    model.load_state_dict(state)
    return model.eval(), content


def write_birth(place: Path, audio: Audio, path: Path) -> None:
    """Trace one clip through every snapshot and write, S snapshots, L layers, H heads:

    step [S], heldout [S] and, where a speaker was left out, stranger [S] (shares of hidden frames guessed right),
    bias [S, buckets, H] (the table of layer 0), gate_low, gate_mean and gate_high [S, L, H] over the clip's frames,
    maps [S, L, H, 80, 80] bytes, to be read as maps / 255 * peaks[..., None], peaks [S, L, H, 80], and of the clip its
    name and its start and length in seconds.

    Raises: FileNotFoundError where no snapshots are.
    """
    rows: list[dict[str, np.ndarray | np.generic]] = []
    for snapshot in sorted((place / "snapshots").glob("*.pt")):
        model, content = load_snapshot(snapshot)
        traced = trace(model, audio)
        gates = torch.stack([traced.gate(layer) for layer in range(traced.num_layers)])  # [layers, heads, frames]
        maps, peaks = quantise(pooled_maps(traced))
        shares = {name: np.float32(content[name]) for name in ("heldout", "stranger") if name in content}
        bias = model.encoder.block(0).self_attn.relative_attention_bias.weight.detach()
        spread = {"gate_low": gates.amin(-1), "gate_mean": gates.mean(-1), "gate_high": gates.amax(-1), "bias": bias}
        numbers = {name: tensor.half().numpy() for name, tensor in spread.items()}
        rows.append({"step": np.int32(content["step"]), "maps": maps, "peaks": peaks, **shares, **numbers})
    if not rows:
        raise FileNotFoundError(f"no snapshots in {place / 'snapshots'}: train first")
    stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    stacked["clip_name"] = np.array(audio.name)
    stacked["clip_seconds"] = np.array([audio.start, len(audio.samples) / audio.sample_rate])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **stacked)
