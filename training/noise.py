"""What WavLM's denoising asks for: part of a clip spoilt by a second voice or by noise, the targets left clean."""

import numpy as np
from jaxtyping import Float

VOICE_DECIBELS = (-5.0, 5.0)  # clip over second voice
NOISE_DECIBELS = (-5.0, 20.0)  # clip over noise
KINDS = ("voice", "white", "pink", "babble")

Clip = Float[np.ndarray, " samples"]
Clips = Float[np.ndarray, "clips samples"]


def pink_noise(generator: np.random.Generator, num_samples: int) -> Clip:
    """Noise whose power falls by 3 dB an octave: white noise divided, in frequency, by the root of the frequency."""
    spectrum = np.fft.rfft(generator.standard_normal(num_samples))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0), num_samples).astype(np.float32)


def disturbance(generator: np.random.Generator, kind: str, clips: Clips, victim: int, num_samples: int) -> Clip:
    """One of `KINDS`, `num_samples` long; voices come from the other clips, three to five of them make babble."""
    if kind == "white":
        return generator.standard_normal(num_samples).astype(np.float32)
    if kind == "pink":
        return pink_noise(generator, num_samples)
    others = np.delete(np.arange(len(clips)), victim)
    count = 1 if kind == "voice" else int(generator.integers(3, 6))
    voices = generator.choice(others, size=min(count, len(others)), replace=False)
    start = int(generator.integers(clips.shape[1] - num_samples + 1))
    return clips[voices, start : start + num_samples].sum(axis=0)


def spoil(generator: np.random.Generator, clips: Clips, share: float) -> Clips:
    """The clips, of which about `share` have a stretch of up to half their length mixed with a voice or with noise.

    Source: utterance mixing of WavLM, arXiv 2110.13900, section 3 and algorithm 1.
    """
    spoilt = clips.copy()
    num_samples = clips.shape[1]
    for victim in np.flatnonzero(generator.random(len(clips)) < share):
        kind = "voice" if generator.random() < 0.5 else str(generator.choice(KINDS[1:]))
        length = int(generator.integers(num_samples // 10, num_samples // 2 + 1))
        start = int(generator.integers(num_samples - length + 1))
        added = disturbance(generator, kind, clips, int(victim), length)
        ratio = 10 ** (generator.uniform(*(VOICE_DECIBELS if kind == "voice" else NOISE_DECIBELS)) / 20)
        level = np.sqrt(np.mean(clips[victim] ** 2)) / (np.sqrt(np.mean(added**2)) + 1e-6)
        spoilt[victim, start : start + length] += added * level / ratio
    return spoilt
