"""How fast the machine could be: the model's operations over its rate of matrix products."""

from collections.abc import Callable

import torch

from wavlm_explorer import WavLMConfig

SIDE = 2048  # of the square matrices whose product is timed
PRODUCT_OPERATIONS = 2 * SIDE**3
LIBRARIES = ("MKL", "oneDNN", "cuBLAS")


def count_operations(config: WavLMConfig, num_samples: int) -> int:
    """Floating-point operations of one pass: 2 for every multiplication and addition in a product or convolution.

    Norms, activations, softmax, and adding the bias are left out, as are repetitions: it is the least that is needed.
    """
    width, ffn_width, frames = config.encoder_embed_dim, config.encoder_ffn_embed_dim, config.num_frames(num_samples)
    convolutions, length, channels = 0, num_samples, 1
    for layer in config.conv_layers:
        length = (length - layer.kernel) // layer.stride + 1
        convolutions += length * layer.kernel * channels * layer.channels
        channels = layer.channels
    projection = frames * channels * width if channels != width else 0
    positions = frames * config.conv_pos * width * width // config.conv_pos_groups
    attention = 4 * frames * width**2 + 2 * frames**2 * width  # four projections; logits and their use
    gate = 8 * frames * width if config.gru_rel_pos else 0
    feed_forward = 2 * frames * width * ffn_width
    return 2 * (convolutions + projection + positions + config.encoder_layers * (attention + gate + feed_forward))


def products(device: str) -> dict[str, Callable[[], object]]:
    """library -> one product of two square float32 matrices by it."""
    a, b = torch.rand(2, SIDE, SIDE, device=device)
    if device != "cpu":
        return {"cuBLAS": lambda: a @ b}
    tasks: dict[str, Callable[[], object]] = {"MKL": lambda: a @ b}
    if torch.backends.mkldnn.is_available():
        tasks["oneDNN"] = lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
    return tasks
