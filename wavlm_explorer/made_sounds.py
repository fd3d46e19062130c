"""A sound for a class that occurs in no recording at hand: made from what the class's centre says, not recorded.

The centre tells the mel bands of a frame, and by their slopes those of its neighbours. Noise or pulses are filtered so
that they have these bands; whether the result is of the class is measured, not assumed.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .audio import SAMPLE_RATE, Audio
from .sound_classes import (
    FFT_SIZE,
    FLOOR,
    HOP_SAMPLES,
    NUM_BANDS,
    NUM_CEPSTRA,
    WINDOW_SAMPLES,
    Clusters,
    cepstra,
    cosines,
    mel_filters,
)

NUM_FRAMES = 9  # the class's own in the middle; slopes of slopes reach four to either side
MIDDLE = NUM_FRAMES // 2
NUM_SAMPLES = WINDOW_SAMPLES + (NUM_FRAMES - 1) * HOP_SAMPLES
FINE_HOP_SAMPLES = 80  # from one filter to the next
PITCH_HERTZ = 120.0
LOUDER_AT_MOST = 2.0  # nepers of power by which neighbours rise above the middle: what a slope says ends somewhere
NUM_CORRECTIONS = 5  # after which the bands no longer come nearer


def made_sound(clusters: Clusters, number: int) -> Audio | None:
    """Make a sound whose middle frame belongs to a class; None where what was made does not."""
    centre = clusters.centres[number] * clusters.scale + clusters.mean
    wanted = _bands(centre)
    samples = _filtered(_pulses() if centre[1] > 0 else _noise(), wanted)  # voices are louder below: cepstrum 1 > 0
    samples = samples / samples.abs().max().clamp(min=1)
    if int(clusters.assign(cepstra(samples)[MIDDLE : MIDDLE + 1])) != number:
        return None
    return Audio(samples.numpy(), name=f"class {number}, made")


def _bands(centre: Float[Tensor, " features"]) -> Float[Tensor, "frames bands"]:
    """The logarithmic power of each band in the frame itself and its neighbours, along the parabola of its slopes."""
    away = torch.arange(NUM_FRAMES)[:, None] - MIDDLE
    level, slope, bend = centre.split(NUM_CEPSTRA)
    bands = (level + slope * away + bend * away**2 / 2) @ cosines().T
    return torch.minimum(bands, bands[MIDDLE] + LOUDER_AT_MOST).exp().clamp(min=FLOOR).log()


def _filtered(source: Float[Tensor, " samples"], wanted: Float[Tensor, "frames bands"]) -> Float[Tensor, " samples"]:
    """Filter a source so that its bands are the wanted ones: measure, and correct by what is missing."""
    window = torch.hann_window(WINDOW_SAMPLES)
    spectrum = torch.stft(source, FFT_SIZE, FINE_HOP_SAMPLES, WINDOW_SAMPLES, window, return_complex=True)
    spread = mel_filters() / mel_filters().sum(dim=1, keepdim=True).clamp(min=1e-6)  # [bins, bands]
    places = (torch.arange(spectrum.shape[1]) * FINE_HOP_SAMPLES - WINDOW_SAMPLES / 2) / HOP_SAMPLES  # in frames
    before = places.clamp(0, NUM_FRAMES - 1).floor().long().clamp(max=NUM_FRAMES - 2)
    share = (places.clamp(0, NUM_FRAMES - 1) - before)[:, None]
    gain, samples = torch.zeros(NUM_FRAMES, NUM_BANDS), source
    for _ in range(NUM_CORRECTIONS):
        gain = gain + wanted - _measured(samples)
        amplitude = (gain / 2).exp()
        fine = amplitude[before] * (1 - share) + amplitude[before + 1] * share  # [columns, bands]
        shaped = spectrum * (spread @ fine.T)
        samples = torch.istft(shaped, FFT_SIZE, FINE_HOP_SAMPLES, WINDOW_SAMPLES, window, length=NUM_SAMPLES)
    return samples


def _measured(samples: Float[Tensor, " samples"]) -> Float[Tensor, "frames bands"]:
    """The logarithmic power of each band, as far as the cepstra keep it."""
    return cepstra(samples)[:, :NUM_CEPSTRA] @ cosines().T


def _noise() -> Float[Tensor, " samples"]:
    return torch.randn(NUM_SAMPLES, generator=torch.Generator().manual_seed(0))


def _pulses() -> Float[Tensor, " samples"]:
    """One pulse a period, of the same mean power as the noise."""
    period = round(SAMPLE_RATE / PITCH_HERTZ)
    pulses = torch.zeros(NUM_SAMPLES)
    pulses[::period] = period**0.5
    return pulses
