"""The model card's pictures: arrays in, matplotlib figures out."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from wavlm_explorer import Trace, WavLM

from .heads import Exemplar

WEIGHTS = "magma"  # maps of weights
SPLIT_NAMES = {
    "train": "learned from, spoilt",
    "heldout": "held-out clips, known voices",
    "stranger": "unknown voice and language",
}


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of 256 colours: a third of the size, and no map here has more."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=90)
    Image.open(drawn).convert("RGB").quantize(256).save(path, optimize=True)


def draw_map(ax: Axes, weights: Float[Tensor, "queries keys"], seconds: float, num_cells: int) -> None:
    """One head's map, max-pooled so that thin diagonals survive; bright is the 99.5th percentile and above."""
    pooled = torch.nn.functional.adaptive_max_pool2d(weights[None], min(num_cells, len(weights)))[0].numpy()
    ax.imshow(pooled, cmap=WEIGHTS, vmin=0, vmax=np.quantile(pooled, 0.995), extent=(0, seconds, seconds, 0))


def curve(rows: Sequence[Mapping[str, float]], constant: float) -> Figure:
    """Share of hidden frames guessed right along the training, with what one constant guess would get."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    ax = figure.subplots()
    for split, name in SPLIT_NAMES.items():
        points = [(row["step"], 100 * row[split]) for row in rows if split in row and row["step"] > 0]
        if points:
            ax.plot(*zip(*points, strict=True), marker=".", label=name)
    ax.axhline(100 * constant, color="grey", linestyle=":", label="always the commonest class")
    ax.set(xlabel="training step", ylabel="hidden frames guessed right (%)", xlim=(0, None), ylim=(0, None))
    ax.legend()
    return figure


def bias_and_gates(model: WavLM, twin: WavLM, trace: Trace, seconds: float = 3.0) -> Figure:
    """The learned bias of every head over distance, the twin's for comparison, and how far each gate reaches."""
    reach = round(seconds / model.config.frame_seconds)
    distances = torch.arange(-reach, reach + 1)
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    axes = figure.subplots(2, trace.num_heads, sharey="row")
    for head, (above, below) in enumerate(axes.T):
        for source, style in ((twin, {"color": "grey", "linewidth": 0.8}), (model, {"color": "C0"})):
            bias = source.encoder.block(0).self_attn.bias_of_distances(distances)[head].detach()
            above.plot(distances * model.config.frame_seconds, bias, **style)
        above.set(title=f"head {head}", xlabel="key after query (s)")
        above.axvline(0, color="grey", linewidth=0.5)
        gates = torch.stack([trace.gate(layer)[head] for layer in range(trace.num_layers)])
        below.boxplot(gates.numpy().T, whis=(0, 100), tick_labels=[str(i) for i in range(trace.num_layers)])
        below.axhline(1, color="grey", linewidth=0.5)
        below.set(xlabel="layer")
    axes[0, 0].set_ylabel("bias, ungated (grey: untrained)")
    axes[1, 0].set_ylabel("gate (1 leaves the bias as it is)")
    return figure


def atlas(trace: Trace) -> Figure:
    """All heads: layers down, heads across."""
    seconds = trace.num_frames * trace.model.config.frame_seconds
    figure = Figure(figsize=(8, 8.4), layout="constrained")
    axes = figure.subplots(trace.num_layers, trace.num_heads, sharex=True, sharey=True)
    for layer, row in enumerate(axes):
        weights = trace.attention(layer)
        for head, ax in enumerate(row):
            draw_map(ax, weights[head], seconds, num_cells=64)
            if layer == 0:
                ax.set_title(f"head {head}")
        row[0].set_ylabel(f"layer {layer}\nquery (s)")
    for ax in axes[-1]:
        ax.set_xlabel("key (s)")
    figure.suptitle("Attention of every head, max-pooled; each map has its own scale")
    return figure


def exemplar_maps(trace: Trace, heads: Sequence[Exemplar]) -> Figure:
    """The heads that show one thing best, with their names."""
    seconds = trace.num_frames * trace.model.config.frame_seconds
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(2, (len(heads) + 1) // 2).flatten()
    for ax in axes[len(heads) :]:
        ax.set_axis_off()
    for ax, exemplar in zip(axes, heads, strict=False):
        draw_map(ax, trace.attention(exemplar.layer, exemplar.head)[0], seconds, num_cells=128)
        ax.set(
            title=f"{exemplar.name}\nlayer {exemplar.layer}, head {exemplar.head}", xlabel="key (s)", ylabel="query (s)"
        )
    return figure


def measures(trained: Mapping[str, Tensor], untrained: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Every head a point: trained against untrained, by layer."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axes = figure.subplots(1, len(names))
    for ax, name in zip(axes, names, strict=True):
        for numbers, colour, label in ((untrained[name], "grey", "untrained"), (trained[name], "C0", "trained")):
            layers = torch.arange(len(numbers))[:, None].expand_as(numbers)
            shift = torch.linspace(-0.2, 0.2, numbers.shape[1])
            ax.scatter((layers + shift).flatten(), numbers.flatten(), s=12, color=colour, label=label)
        ax.set(title=name, xlabel="layer")
    axes[-1].legend()
    return figure


def birth(arrays: Mapping[str, np.ndarray], layer: int) -> Figure:
    """One layer's heads at every snapshot: steps across, heads down."""
    steps, maps, peaks = arrays["step"], arrays["maps"][:, layer], arrays["peaks"][:, layer].astype(np.float32)
    weights = maps / 255 * peaks[..., None]  # [snapshots, heads, rows, columns]
    figure = Figure(figsize=(len(steps) * 1.1, maps.shape[1] * 1.15 + 0.4), layout="constrained")
    axes = figure.subplots(maps.shape[1], len(steps))
    for head, row in enumerate(axes):
        for snapshot, ax in enumerate(row):
            ax.imshow(weights[snapshot, head], cmap=WEIGHTS, vmin=0, vmax=np.quantile(weights[snapshot, head], 0.995))
            ax.set(xticks=[], yticks=[])
            if head == 0:
                ax.set_title(f"step {steps[snapshot]}\n{arrays['heldout'][snapshot]:.0%}", fontsize=8)
        row[0].set_ylabel(f"head {head}", fontsize=8)
    return figure
