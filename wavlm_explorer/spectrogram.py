"""The picture of a sound that people know how to read: loudness over time and frequency."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .audio import SAMPLE_RATE, Audio

WINDOW_SAMPLES = 400  # 25 ms, as much as a frame of WavLM sees
HOP_SAMPLES = 80  # 5 ms
FFT_SAMPLES = 512
DYNAMIC_RANGE_DB = 70.0
MAX_COLUMNS = 1200  # more than a page shows; longer sounds take longer hops


class Spectrogram(NamedTuple):
    """Loudness below the sound's loudest moment, -70 to 0 dB, and where each row and column lies."""

    decibels: Float[Tensor, "frequencies columns"]
    frequencies: Float[Tensor, " frequencies"]  # Hz, 0 to 8000
    times: Float[Tensor, " columns"]  # seconds from the start of the file


def spectrogram(audio: Audio) -> Spectrogram:
    """Compute a wide-band spectrogram with a 25 ms window, its columns centred on their times."""
    samples = torch.tensor(audio.samples)
    hop = max(HOP_SAMPLES, len(samples) // MAX_COLUMNS)
    window = torch.hann_window(WINDOW_SAMPLES)
    spectrum = torch.stft(
        samples, FFT_SAMPLES, hop, WINDOW_SAMPLES, window, center=True, pad_mode="constant", return_complex=True
    )
    power = spectrum.abs().square()
    loudest = power.max().clamp(min=1e-12)
    decibels = 10 * torch.log10((power / loudest).clamp(min=10 ** (-DYNAMIC_RANGE_DB / 10)))
    frequencies = torch.arange(decibels.shape[0]) * SAMPLE_RATE / FFT_SAMPLES
    times = audio.start + torch.arange(decibels.shape[1]) * hop / SAMPLE_RATE
    return Spectrogram(decibels, frequencies, times)
