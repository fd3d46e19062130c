"""What two models make of the same clip: their hidden states side by side, and where their attention parts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..audio import Audio
from ..tracing import trace
from ..wavlm import WavLM
from .divergence import Divergence, attention_divergence
from .similarity import MAX_FRAMES, debiased_cka, linear_cka, mean_cosine


@dataclass(frozen=True)
class Behaviour:
    """Two models on one clip. State 0 enters layer 0, state i + 1 leaves layer i."""

    clip: str
    seconds: float
    num_frames: int
    cka_frames: int  # of them went into CKA
    normalized_a: bool  # each model hears the waveform as its own config wants it
    normalized_b: bool
    cka: Float[np.ndarray, "states_a states_b"]
    debiased_cka: Float[np.ndarray, "states_a states_b"]
    cosine: Float[np.ndarray, " states"] | None  # of the states that both have; None for other widths
    divergence: Divergence | None  # of the layers that both have; None for other numbers of heads

    @property
    def has_equal_depth(self) -> bool:
        """Whether the two have equally many layers, so that state i of the one has its counterpart in the other."""
        return self.cka.shape[0] == self.cka.shape[1]


def compare_behaviour(
    a: WavLM, b: WavLM, audio: Audio, progress: Callable[[float], object] = lambda _: None
) -> Behaviour:
    """Run both over the clip and compare; `progress` is called with the share done, 0 to 1.

    Raises: ValueError for front ends that make different numbers of frames; what `trace` raises.
    """
    frames = [model.config.num_frames(len(audio.samples)) for model in (a, b)]
    if frames[0] != frames[1]:
        raise ValueError(f"their front ends make {frames[0]} and {frames[1]} frames of the clip")
    one = trace(a, audio, progress=lambda share: progress(share / 4))
    other = trace(b, audio, progress=lambda share: progress((1 + share) / 4))
    states = min(one.num_layers, other.num_layers) + 1
    same_width = one.hidden_states.shape[-1] == other.hidden_states.shape[-1]
    return Behaviour(
        clip=audio.name,
        seconds=audio.duration,
        num_frames=one.num_frames,
        cka_frames=min(one.num_frames, MAX_FRAMES),
        normalized_a=one.normalized,
        normalized_b=other.normalized,
        cka=linear_cka(one.hidden_states, other.hidden_states),
        debiased_cka=debiased_cka(one.hidden_states, other.hidden_states),
        cosine=mean_cosine(one.hidden_states[:states], other.hidden_states[:states]) if same_width else None,
        divergence=attention_divergence(one, other, lambda share: progress((1 + share) / 2))
        if one.num_heads == other.num_heads
        else None,
    )
