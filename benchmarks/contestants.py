"""The four implementations at the same work: all hidden states of a clip, alone or with attention."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

import wavlm_explorer as wx

from .peer_code import make_original, make_torchaudio
from .weights import HUGGING_FACE, ORIGINAL, read_original, torchaudio_state

STATES = "hidden states"
ATTENTION = "hidden states and attention"
WORK = (STATES, ATTENTION)


class Contestant(Protocol):
    """An implementation with its weights loaded. `samples` is [samples] float32, used as it is."""

    model: nn.Module

    def run(self, samples: np.ndarray, work: str) -> Any:
        """Do the work and return all that was asked for."""
        ...

    def inner_states(self, samples: np.ndarray) -> list[Tensor]:
        """What leaves each layer but the last, [frames, width]: there a final norm may have come in between."""
        ...


class Explorer:
    """Ours, through the public interface; with attention, the true maps of all heads of one layer."""

    def __init__(self, folder: Path, device: str) -> None:
        self.model = wx.load_model(folder / ORIGINAL, device=device)

    def run(self, samples: np.ndarray, work: str) -> Any:
        trace = self.trace(samples)
        return (trace, trace.attention(trace.num_layers // 2)) if work == ATTENTION else trace

    def trace(self, samples: np.ndarray) -> wx.Trace:
        """Trace the clip."""
        return wx.trace(self.model, wx.Audio(samples), normalize=False)

    def inner_states(self, samples: np.ndarray) -> list[Tensor]:
        return list(self.trace(samples).hidden_states[1:-1])


class Peer:
    """What the three others have in common."""

    def __init__(self, model: nn.Module, device: str) -> None:
        self.device = device
        self.model: Any = model.eval().to(device)

    def batch(self, samples: np.ndarray) -> Tensor:
        """The clip as a batch of one, [1, samples]."""
        return torch.from_numpy(samples)[None].to(self.device)


class Microsoft(Peer):
    """The original; it has no attention to give."""

    def __init__(self, folder: Path, device: str) -> None:
        saved = read_original(folder)
        self.num_layers = saved["cfg"]["encoder_layers"]
        model = make_original(saved["cfg"])
        model.load_state_dict(saved["model"])
        super().__init__(model, device)

    @torch.inference_mode()
    def run(self, samples: np.ndarray, work: str) -> Any:
        return self.model.extract_features(self.batch(samples), output_layer=self.num_layers, ret_layer_results=True)[
            0
        ][1]

    def inner_states(self, samples: np.ndarray) -> list[Tensor]:
        return [state[:, 0] for state, _ in self.run(samples, STATES)[1:-1]]


class Torchaudio(Peer):
    """torchaudio's port; it has no attention to give."""

    def __init__(self, folder: Path, device: str) -> None:
        saved = read_original(folder)
        model = make_torchaudio(wx.WavLMConfig.from_dict(saved["cfg"]))
        model.load_state_dict(torchaudio_state(saved["model"]))
        super().__init__(model, device)

    @torch.inference_mode()
    def run(self, samples: np.ndarray, work: str) -> Any:
        return self.model.extract_features(self.batch(samples))[0]

    def inner_states(self, samples: np.ndarray) -> list[Tensor]:
        return [state[0] for state in self.run(samples, STATES)[:-1]]


class Transformers(Peer):
    """Hugging Face's port; with attention, the average over the heads of every layer, which is all it has."""

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import WavLMModel

        super().__init__(WavLMModel.from_pretrained(folder / HUGGING_FACE), device)

    @torch.inference_mode()
    def run(self, samples: np.ndarray, work: str) -> Any:
        return self.model(self.batch(samples), output_hidden_states=True, output_attentions=work == ATTENTION)

    def inner_states(self, samples: np.ndarray) -> list[Tensor]:
        return [state[0] for state in self.run(samples, STATES).hidden_states[1:-1]]


OURS = "WavLM Explorer"
CONTESTANTS: dict[str, Any] = {  # name -> class
    OURS: Explorer,
    "Microsoft": Microsoft,
    "torchaudio": Torchaudio,
    "transformers": Transformers,
}
ENTRIES = [  # who does what
    *((name, STATES) for name in CONTESTANTS),
    (OURS, ATTENTION),
    ("transformers", ATTENTION),
]


def entry_name(contestant: str, work: str) -> str:
    """What a contestant's result at a piece of work is filed under."""
    return f"{contestant}, {work}"


def largest_disagreement(contestants: dict[str, Contestant], samples: np.ndarray) -> dict[str, float]:
    """How far each is from the original: the largest ||a - b|| / ||b|| of any layer's output."""
    states = {name: torch.stack(contestant.inner_states(samples)).cpu() for name, contestant in contestants.items()}
    original = states.pop("Microsoft")
    norms = torch.linalg.vector_norm(original, dim=(1, 2))
    return {
        name: float((torch.linalg.vector_norm(theirs - original, dim=(1, 2)) / norms).max())
        for name, theirs in states.items()
    }
