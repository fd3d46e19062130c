"""What fits in memory, asked before it is tried."""

import psutil
import torch

from .audio import SAMPLE_RATE
from .config import WavLMConfig
from .encoder import FRAMES_AT_ONCE
from .modules import fused_block

FLOAT_BYTES = 4
CPU = torch.device("cpu")
MAPS_OF_TERMS = 5  # content, bias, position, logits and weights
COMFORTABLE = 2e9  # weights that are computed without being asked for: 75 s of sound through Base


def available_bytes(device: torch.device) -> int:
    """What a device has left: free memory, and what PyTorch holds of it without using it."""
    if device.type != "cuda":
        return psutil.virtual_memory().available
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + unused


def check_memory(needed: int, what: str, advice: str, device: torch.device = CPU) -> None:
    """Refuse what would not fit.

    Raises: MemoryError with the size needed, the size free, and what to ask for instead.
    """
    available = available_bytes(device)
    if needed > available:
        place = "" if device.type == "cpu" else f" on {device}"
        raise MemoryError(
            f"{what} need about {needed / 1e9:.1f} GB; {available / 1e9:.1f} GB are free{place}. {advice}"
        )


def check_map_memory(num_heads: int, num_queries: int, num_keys: int) -> None:
    """Refuse maps that do not fit.

    Raises: MemoryError.
    """
    check_memory(
        MAPS_OF_TERMS * FLOAT_BYTES * num_heads * num_queries * num_keys,
        f"{num_heads} heads x {num_queries} queries x {num_keys} keys",
        "Ask for fewer heads (heads=0) or rows (queries=slice(0, 500)), or for attention_overview.",
    )


def pass_bytes(config: WavLMConfig, num_samples: int, device: torch.device = CPU) -> int:
    """What a pass takes on its device: all of it grows with the length. On a CPU the states that are kept count too."""
    num_frames, width = config.num_frames(num_samples), config.encoder_embed_dim
    kept = kept_numbers(config, num_frames) if device.type == "cpu" else 0
    layer = 12 * num_frames * width  # q, k, v as they are and reversed, context, residual and norms
    block = fused_block(device, 1, config.encoder_attention_heads, num_frames)
    bias = block.heads * block.rows * num_frames
    feed_forward = 3 * min(num_frames, FRAMES_AT_ONCE) * config.encoder_ffn_embed_dim
    return FLOAT_BYTES * (kept + layer + bias + feed_forward)


def kept_numbers(config: WavLMConfig, num_frames: int) -> int:
    """The numbers that a trace keeps: a state before and behind every layer, and the output."""
    return (config.encoder_layers + 2) * num_frames * config.encoder_embed_dim


def check_pass_memory(config: WavLMConfig, num_samples: int, device: torch.device) -> None:
    """Refuse a clip whose trace would not fit on the device, or what it keeps not on the CPU.

    Raises: MemoryError.
    """
    num_frames = config.num_frames(num_samples)
    what = f"{num_samples / SAMPLE_RATE:.1f} s of sound, {num_frames} frames through {config.encoder_layers} layers,"
    advice = "Choose a shorter part: load_audio(..., start=0, duration=30)."
    check_memory(pass_bytes(config, num_samples, device), what, advice, device)
    if device.type != "cpu":
        check_memory(FLOAT_BYTES * kept_numbers(config, num_frames), what, advice)


def is_comfortable(num_layers: int, num_heads: int, num_frames: int) -> bool:
    """Whether looking at every weight of a clip takes seconds at most."""
    return num_layers * num_heads * num_frames**2 <= COMFORTABLE
