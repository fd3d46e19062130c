"""What stands in for the Conv2d that no WavLM has: two small ones on a clip's spectrogram, and noise on both."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .audio import Audio
from .modules import draw_block_mask, noised_weight
from .spectrogram import DYNAMIC_RANGE_DB, spectrogram

NUM_CHANNELS = 16  # every block size that the page offers divides it
KERNEL = 3
MOST_FREQUENCIES, MOST_COLUMNS = 64, 400


class NoisedConvolutions(NamedTuple):
    """One draw of noise on a 3 x 3 convolution and on the 1 x 1 that reads its channels."""

    kernel_mask: Bool[Tensor, "16 3 3 3"]  # outputs, inputs, rows, columns: True where dropped, a whole kernel at once
    mixing_mask: Bool[Tensor, "16 16 1 1"]  # blocks of neighbouring inputs
    before: Float[Tensor, "frequencies columns"]  # the first channel that leaves both, without noise
    after: Float[Tensor, "frequencies columns"]  # the same channel with it
    kernel_change: float  # ||noised - clean|| / ||clean|| of all channels that leave the 3 x 3
    change: float  # of all channels that leave both
    begin: float  # seconds from the start of the file, of the first column's left edge
    end: float


def speech_channels(audio: Audio) -> Float[Tensor, "3 frequencies columns"]:
    """The spectrogram, its change over time, and the change of that, each brought to mean 0 and variance 1.

    At most 64 frequencies and 400 columns.

    Source: static, delta and delta-delta as feature maps, Abdel-Hamid et al., IEEE/ACM TASLP 22 (2014), section III.
    """
    decibels = spectrogram(audio).decibels
    size = (MOST_FREQUENCIES, min(MOST_COLUMNS, decibels.shape[1]))
    level = F.adaptive_avg_pool2d(decibels[None] / DYNAMIC_RANGE_DB, size)[0]
    (slope,) = torch.gradient(level, dim=1)
    (curvature,) = torch.gradient(slope, dim=1)
    channels = torch.stack([level, slope, curvature])
    spread, mean = torch.std_mean(channels, dim=(1, 2), keepdim=True)
    return (channels - mean) / spread.clamp(min=1e-6)


def demonstration_convolutions() -> tuple[nn.Conv2d, nn.Conv2d]:
    """Make a 3 x 3 convolution, 3 -> 16, and a 1 x 1, 16 -> 16, of random weights N(0, 1 / inputs), always the same."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):  # no draw of the global generator, which belongs to others
        kernels = nn.Conv2d(3, NUM_CHANNELS, KERNEL, padding=KERNEL // 2, bias=False)
        mixing = nn.Conv2d(NUM_CHANNELS, NUM_CHANNELS, 1, bias=False)
    for module in (kernels, mixing):
        module.to_empty(device="cpu").requires_grad_(False)
        module.weight.normal_(std=1 / math.sqrt(module.weight[0].numel()), generator=generator)
    return kernels, mixing


@torch.no_grad()
def noised_convolutions(audio: Audio, p: float, block_size: int, draw: int) -> NoisedConvolutions:
    """Run both on the clip's spectrogram without noise and with it.

    Raises: ValueError unless 0 <= p < 1 and `block_size` divides 16.
    """
    x, (kernels, mixing) = speech_channels(audio)[None], demonstration_convolutions()
    generator = torch.Generator().manual_seed(draw)
    kernel_mask = draw_block_mask(kernels, p, KERNEL**2, generator)
    mixing_mask = draw_block_mask(mixing, p, block_size, generator)
    between = kernels(x)
    before = mixing(between)
    kernels.weight.copy_(noised_weight(kernels.weight, kernel_mask, p))
    mixing.weight.copy_(noised_weight(mixing.weight, mixing_mask, p))
    noised = kernels(x)
    after = mixing(noised)
    return NoisedConvolutions(
        kernel_mask, mixing_mask, before[0, 0], after[0, 0], _change(between, noised), _change(before, after),
        audio.start, audio.start + audio.duration,
    )  # fmt: skip


def _change(clean: Tensor, noised: Tensor) -> float:
    norm = torch.linalg.vector_norm
    return float(norm(noised - clean) / norm(clean).clamp(min=1e-12))
