"""Outside implementations to compare with: the Microsoft original, as the package s3prl ships it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor


def _load_original() -> tuple[ModuleType, ModuleType]:
    """Load the two files of `s3prl/upstream/wavlm` by path: the rest of s3prl need not be importable."""
    spec = importlib.util.find_spec("s3prl")
    assert spec is not None, "s3prl is missing: pip install --no-deps -r requirements-oracles.txt (make test does)"
    folder = Path(spec.submodule_search_locations[0]) / "upstream" / "wavlm"
    package = ModuleType("original_wavlm")
    package.__path__ = [str(folder)]
    sys.modules["original_wavlm"] = package
    return importlib.import_module("original_wavlm.modules"), importlib.import_module("original_wavlm.WavLM")


original_modules, original_wavlm = _load_original()


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """||a - b|| / ||b||."""
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))


def randomise(module: torch.nn.Module, seed: int = 0, std: float = 0.3) -> None:
    """Move every parameter away from its initial value, so that no zero or one hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(std * torch.randn(parameter.shape, generator=generator))
