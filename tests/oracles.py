"""Outside implementations to compare with: the Microsoft original, as the package s3prl ships it."""

import copy
import dataclasses
import importlib
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from hypothesis import register_random, settings
from torch import Tensor, nn

from wavlm_explorer import modules
from wavlm_explorer.config import WavLMConfig
from wavlm_explorer.wavlm import WavLM

# The front end of the released models with fewer channels, so that a second of sound costs milliseconds.
NARROW_CONVOLUTIONS = "[(8,10,5)] + [(8,3,2)] * 4 + [(8,2,2)] * 2"
TINY = WavLMConfig(
    encoder_layers=3,
    encoder_embed_dim=24,
    encoder_ffn_embed_dim=40,
    encoder_attention_heads=3,
    conv_feature_layers=NARROW_CONVOLUTIONS,
    conv_pos=16,
    conv_pos_groups=4,
    relative_position_embedding=True,
    gru_rel_pos=True,
    num_buckets=32,
    max_distance=60,
)


class _TorchRandom:
    """Torch's generator as hypothesis wants it, so that an example found to fail fails again."""

    seed = staticmethod(torch.manual_seed)
    getstate = staticmethod(torch.get_rng_state)
    setstate = staticmethod(torch.set_rng_state)


TORCH_RANDOM = _TorchRandom()  # hypothesis holds only a weak reference
register_random(TORCH_RANDOM)
settings.register_profile("oracles", deadline=None, max_examples=40)
settings.load_profile("oracles")


def _load_original() -> tuple[ModuleType, ModuleType]:
    """Load the two files of `s3prl/upstream/wavlm` by path: the rest of s3prl need not be importable."""
    spec = importlib.util.find_spec("s3prl")
    assert spec is not None, "s3prl is missing: pip install --no-deps -r requirements-oracles.txt (make test does)"
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "upstream" / "wavlm"
    package = ModuleType("original_wavlm")
    package.__path__ = [str(folder)]
    sys.modules["original_wavlm"] = package
    return importlib.import_module("original_wavlm.modules"), importlib.import_module("original_wavlm.WavLM")


original_modules, original_wavlm = _load_original()


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """||a - b|| / ||b||."""
    assert ours.shape == theirs.shape
    ours, theirs = ours.detach(), theirs.detach()
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    """max |a - b|, of equal shapes."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).detach().abs().max()) if ours.numel() else 0.0


def randomise(module: nn.Module, seed: int = 0, std: float = 0.3) -> None:
    """Move every parameter away from its initial value, so that no zero or one hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(std * torch.randn(parameter.shape, generator=generator))


def twins(name: str, *arguments: Any, seed: int = 0, **options: Any) -> tuple[Any, Any]:
    """Make the original's module `name` and ours, with the same random weights, in eval mode."""
    original = getattr(original_modules, name)(*arguments, **options).eval()
    ours = getattr(modules, name)(*arguments, **options).eval()
    randomise(original, seed)
    ours.load_state_dict(original.state_dict())
    return original, ours


def make_original(config: WavLMConfig) -> Any:
    """Make the original's model of our config."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's old weight_norm, which the original uses
        return original_wavlm.WavLM(original_wavlm.WavLMConfig(dataclasses.asdict(config)))


def model_twins(config: WavLMConfig, std: float = 0.05, seed: int = 0) -> tuple[Any, WavLM]:
    """Make the original's model and ours, with the same random weights, in eval mode."""
    original, ours = make_original(config).eval(), WavLM(config).eval()
    randomise(original, seed, std)
    ours.load_state_dict(original.state_dict())
    return original, ours


def attention_formula(
    attention: Any,
    query: Tensor,
    key: Tensor | None = None,
    value: Tensor | None = None,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Gated attention written out in float64 with loops over batch and heads, for what the original cannot do.

    bias [heads, queries, keys] is gated, mask [batch, queries, keys] added to the logits of all heads; the learned key
    and the zero key come last, with neither. Returns output [queries, batch, width], weights [heads, batch, queries,
    keys].
    """
    attention = copy.deepcopy(attention).double()
    query = query.double()
    key = query if key is None else key.double()
    value = key if value is None else value.double()
    q, k, v = attention.q_proj(query), attention.k_proj(key), attention.v_proj(value)
    if attention.bias_k is not None:
        k = torch.cat([k, attention.bias_k.expand(1, k.shape[1], -1)])
        v = torch.cat([v, attention.bias_v.expand(1, v.shape[1], -1)])
    if attention.add_zero_attn:
        k, v = (torch.cat([tensor, torch.zeros_like(tensor[:1])]) for tensor in (k, v))
    num_queries, batch, width = query.shape
    num_keys, size = key.shape[0], width // attention.num_heads
    weights = torch.zeros(attention.num_heads, batch, num_queries, k.shape[0], dtype=torch.float64)
    context = torch.zeros(num_queries, batch, width, dtype=torch.float64)
    for head in range(attention.num_heads):
        channels = slice(head * size, (head + 1) * size)
        for item in range(batch):
            logits = q[:, item, channels] @ k[:, item, channels].T / size**0.5
            if bias is not None:
                logits[:, :num_keys] += _gate_formula(attention, query[:, item, channels], head) * bias[head].double()
            if mask is not None:
                logits[:, :num_keys] += mask[item].double()
            weights[head, item] = torch.softmax(logits, dim=-1)
            context[:, item, channels] = weights[head, item] @ v[:, item, channels]
    return attention.out_proj(context), weights


def _gate_formula(attention: Any, x: Tensor, head: int) -> Tensor:
    """[queries, 1]: one head's gate, or ones."""
    if not attention.gru_rel_pos:
        return torch.ones(len(x), 1, dtype=torch.float64)
    z = attention.grep_linear(x)
    first, second = torch.sigmoid(z[:, :4].sum(1)), torch.sigmoid(z[:, 4:].sum(1))
    return (first * (second * attention.grep_a[0, head, 0, 0] - 1) + 2)[:, None]
