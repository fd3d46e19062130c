"""What a checkpoint is: one sentence and a short table."""

import re

from ..checkpoints.checkpoint import Checkpoint
from ..config import BASE, LARGE, WavLMConfig
from .subject import Subject

LAYOUTS = {
    "microsoft": "the original's layout",
    "huggingface": "Hugging Face layout",
    "torchaudio": "torchaudio's layout",
}
TRAINING = {"trained": "trained", "fresh": "freshly initialised", "random": "without a trace of training"}
SHOWN = (
    "layer_norm_first", "extractor_mode", "normalize", "activation_fn", "gru_rel_pos", "relative_position_embedding",
    "num_buckets", "max_distance", "conv_pos", "conv_pos_groups",
)  # fmt: skip


def model_name(config: WavLMConfig | None) -> str:
    """Which release has these sizes."""
    if config is None:
        return "WavLM"
    sizes = (config.encoder_layers, config.encoder_embed_dim, config.encoder_attention_heads)
    for name, release in (("WavLM Base or Base+", BASE), ("WavLM Large", LARGE)):
        if sizes == (release.encoder_layers, release.encoder_embed_dim, release.encoder_attention_heads):
            return name
    return f"a WavLM of {sizes[0]} layers"


def num_parameters(checkpoint: Checkpoint) -> int:
    """Numbers in the encoder's tensors."""
    return sum(tensor.numel() for tensor in checkpoint.tensors.values())


def kinds(checkpoint: Checkpoint) -> str:
    """The kinds of numbers, the most frequent first."""
    counts: dict[str, int] = {}
    for tensor in checkpoint.tensors.values():
        name = str(tensor.dtype).removeprefix("torch.")
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(sorted(counts, key=lambda name: -counts[name]))


def describe(subject: Subject) -> str:
    """Say in a sentence what the checkpoint is."""
    checkpoint = subject.checkpoint
    name = model_name(checkpoint.config)
    head = f", with a head for {checkpoint.head}" if checkpoint.head else ""
    sentence = (
        f"{name} in {LAYOUTS[checkpoint.layout]}{head}: {num_parameters(checkpoint):,} parameters in "
        f"{kinds(checkpoint)}, {TRAINING[subject.training]}."
    )
    return re.sub(r"^a W", "A W", sentence)


def list_facts(subject: Subject) -> dict[str, str]:
    """List what the checkpoint is, and of each setting how it is known."""
    checkpoint, config = subject.checkpoint, subject.checkpoint.config
    contents = checkpoint.contents
    size = f", {contents.num_bytes:,} bytes" if contents.num_bytes else ""
    facts = {
        "file": f"{checkpoint.name}, {contents.container}{size}",
        "layout": LAYOUTS[checkpoint.layout],
        "tensors at": f"{checkpoint.where or 'the top'}, prefix {checkpoint.prefix!r}" if checkpoint.prefix
        else checkpoint.where or "the top",
        "head": checkpoint.head or "none",
        "parameters": f"{num_parameters(checkpoint):,} in {len(checkpoint.tensors)} tensors",
        "numbers": kinds(checkpoint),
        "weights": TRAINING[subject.training],
    }  # fmt: skip
    if subject.clip is not None:
        facts["digest"] = subject.clip.model.source.digest
    if config is not None:
        facts["layers × width"] = f"{config.encoder_layers} × {config.encoder_embed_dim}"
        facts["heads × width of each"] = (
            f"{config.encoder_attention_heads} × {config.encoder_embed_dim // config.encoder_attention_heads}"
        )
        facts["feed-forward"] = f"{config.encoder_ffn_embed_dim}"
        for name in SHOWN:
            facts[name] = f"{getattr(config, name)} ({checkpoint.fields.get(name, 'assumed')})"
    return facts
