"""Small models whose weights hide nothing, and a sound to trace through them."""

import dataclasses

import numpy as np
from oracles import TINY, randomise

from wavlm_explorer.audio import Audio
from wavlm_explorer.wavlm import WavLM

VARIANTS = {
    "post-norm": TINY,
    "pre-norm": dataclasses.replace(TINY, layer_norm_first=True, extractor_mode="layer_norm", normalize=True),
    "glu": dataclasses.replace(TINY, activation_fn="glu"),
    "no gate": dataclasses.replace(TINY, gru_rel_pos=False),
    "no positions": dataclasses.replace(TINY, relative_position_embedding=False, gru_rel_pos=False),
}


def make_model(config=TINY, seed: int = 0) -> WavLM:
    """A small random model in eval mode."""
    model = WavLM(config).eval()
    randomise(model, seed)
    return model


def make_audio(seconds: float = 0.8, start: float = 0.0, seed: int = 0) -> Audio:
    """Noise that swells and fades."""
    noise = np.random.default_rng(seed).standard_normal(int(16_000 * seconds))
    return Audio((0.2 * noise * np.hanning(len(noise))).astype(np.float32), start=start)
