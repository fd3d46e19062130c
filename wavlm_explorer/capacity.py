"""What fits in memory, asked before it is tried."""

import psutil
import torch

from .audio import SAMPLE_RATE
from .config import WavLMConfig
from .encoder import FRAMES_AT_ONCE
from .modules import rows_at_once

FLOAT_BYTES = 4
MAPS_OF_TERMS = 5  # content, bias, position, logits and weights


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what would not fit.

    Raises: MemoryError with the size needed, the size free, and what to ask for instead.
    """
    available = psutil.virtual_memory().available
    if needed > available:
        raise MemoryError(f"{what} need about {needed / 1e9:.1f} GB; {available / 1e9:.1f} GB are free. {advice}")


def check_map_memory(num_heads: int, num_queries: int, num_keys: int) -> None:
    """Refuse maps that do not fit.

    Raises: MemoryError.
    """
    check_memory(
        MAPS_OF_TERMS * FLOAT_BYTES * num_heads * num_queries * num_keys,
        f"{num_heads} heads x {num_queries} queries x {num_keys} keys",
        "Ask for fewer heads (heads=0) or rows (queries=slice(0, 500)), or for attention_overview.",
    )


def pass_bytes(config: WavLMConfig, num_samples: int) -> int:
    """What a trace takes: the states it keeps, and what is held while it is made. All of it grows with the length."""
    num_frames, width = config.num_frames(num_samples), config.encoder_embed_dim
    kept = (config.encoder_layers + 2) * num_frames * width
    layer = 12 * num_frames * width  # q, k, v as they are and reversed, context, residual and norms
    num_rows = rows_at_once(torch.device("cpu"), config.encoder_attention_heads, num_frames)
    logits = 3 * config.encoder_attention_heads * min(num_rows, num_frames) * num_frames
    feed_forward = 3 * min(num_frames, FRAMES_AT_ONCE) * config.encoder_ffn_embed_dim
    return FLOAT_BYTES * (kept + layer + logits + feed_forward)


def check_pass_memory(config: WavLMConfig, num_samples: int) -> None:
    """Refuse a clip whose trace would not fit.

    Raises: MemoryError.
    """
    check_memory(
        pass_bytes(config, num_samples),
        f"{num_samples / SAMPLE_RATE:.1f} s of sound, {config.num_frames(num_samples)} frames through "
        f"{config.encoder_layers} layers,",
        "Choose a shorter part: load_audio(..., start=0, duration=30).",
    )
