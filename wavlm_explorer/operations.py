"""How much arithmetic a forward pass is, counted from the geometry: a multiplication and an addition are two."""

from typing import NamedTuple

from .config import WavLMConfig


class Operations(NamedTuple):
    """Floating-point operations of one clip; norms, activations and the softmax, a percent or so, are not counted."""

    front_end: int
    projection: int  # of the front end's frames to the width of the transformer
    positional_convolution: int
    layer: int  # one of encoder_layers
    total: int


def count_operations(config: WavLMConfig, num_samples: int) -> Operations:
    """Count the products of a forward pass over so many samples."""
    front_end, length, in_channels = 0, num_samples, 1
    for channels, kernel, stride in config.conv_layers:
        length = (length - kernel) // stride + 1
        front_end += 2 * length * channels * in_channels * kernel
        in_channels = channels
    width, ffn_width = config.encoder_embed_dim, config.encoder_ffn_embed_dim
    projection = 0 if in_channels == width else 2 * length * in_channels * width
    padded = length + 1 - config.conv_pos % 2  # an even kernel makes one frame too many
    positional = 2 * padded * width * (width // config.conv_pos_groups) * config.conv_pos
    attention = 2 * length * 4 * width**2 + 2 * 2 * length**2 * width
    halves = 3 if config.activation_fn == "glu" else 2  # a GLU's first layer has twice the outputs
    layer = attention + 2 * length * halves * width * ffn_width
    total = front_end + projection + positional + config.encoder_layers * layer
    return Operations(front_end, projection, positional, layer, total)
