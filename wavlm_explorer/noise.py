"""Quantisation noise on one weight of a model, without touching the model: what one draw would do to a clip."""

import copy
import math
import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .modules import GLU_Linear, draw_block_mask, noised_weight
from .tracing import Trace
from .wavlm import WavLM

WEIGHT_NAMES = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
LARGEST_BLOCK = 16


@dataclass(frozen=True)
class Noise:
    """One draw of noise: which blocks of which weight."""

    layer: int
    weight: str  # one of WEIGHT_NAMES
    p: float  # the chance of each block to be dropped
    block_size: int  # consecutive inputs of one output
    draw: int = 0  # the seed


@dataclass(frozen=True, eq=False)
class NoisedPass:
    """A clip's way through a copy of the model whose one weight is noised."""

    noise: Noise
    mask: Bool[Tensor, "outputs inputs"]  # True where dropped
    before: Float[Tensor, "outputs inputs"]
    after: Float[Tensor, "outputs inputs"]
    trace: Trace


def block_sizes(model: WavLM) -> tuple[int, ...]:
    """The block sizes that divide the inputs of every weight in WEIGHT_NAMES: powers of two up to 16."""
    common = math.gcd(model.config.encoder_embed_dim, model.config.encoder_ffn_embed_dim)
    sizes = [1]
    while sizes[-1] < LARGEST_BLOCK and common % (2 * sizes[-1]) == 0:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def weight_module(model: WavLM, layer: int, weight: str) -> nn.Linear:
    """Find the linear layer of that name; in a feed-forward with GLU, fc1 is the one inside it.

    Raises: ValueError for a name that is not in WEIGHT_NAMES.
    """
    if weight not in WEIGHT_NAMES:
        raise ValueError(f"weight: expected one of {', '.join(WEIGHT_NAMES)}; found {weight!r}")
    block = model.encoder.block(layer)
    module = getattr(block if weight.startswith("fc") else block.self_attn, weight)
    return module.linear if isinstance(module, GLU_Linear) else module


def draw_mask(module: nn.Linear, noise: Noise) -> Bool[Tensor, "outputs inputs"]:
    """Draw the mask on the CPU, so that one seed means one mask on every device.

    Raises: as `check_quant_noise`.
    """
    outputs, inputs = module.weight.shape
    shape = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=False)  # only its shape is read
    return draw_block_mask(shape, noise.p, noise.block_size, torch.Generator().manual_seed(noise.draw))


def noised_twin(model: WavLM, layer: int, weight: str, after: Float[Tensor, "outputs inputs"]) -> WavLM:
    """Return a second model that has `after` for one weight and shares all other tensors with the first.

    The first is only read: other sessions may be running it.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)  # what the memo holds is not copied
    weight_module(twin, layer, weight).weight = nn.Parameter(after, requires_grad=False)
    return twin


def noised_pass(trace: Trace, noise: Noise) -> NoisedPass:
    """Run the layers from the noised one on, from what the clean pass remembers; the latest result is kept.

    Raises: ValueError for a weight, p or block size that cannot be.
    """
    with _lock:
        latest = _latest.get(trace)
    if latest is None or latest.noise != noise:
        latest = _run(trace, noise)
        with _lock:
            _latest[trace] = latest
    return latest


def relative_changes(clean: Trace, noised: Trace) -> tuple[Float[Tensor, " states"], float]:
    """||noised - clean|| / ||clean|| of every hidden state, and of the output."""
    norm = torch.linalg.vector_norm
    states = norm(noised.hidden_states - clean.hidden_states, dim=(1, 2)) / norm(clean.hidden_states, dim=(1, 2))
    return states, float(norm(noised.output - clean.output) / norm(clean.output))


_lock = threading.Lock()
_latest: WeakKeyDictionary[Trace, NoisedPass] = WeakKeyDictionary()


@torch.no_grad()
def _run(trace: Trace, noise: Noise) -> NoisedPass:
    module = weight_module(trace.model, noise.layer, noise.weight)
    mask = draw_mask(module, noise)
    after = noised_weight(module.weight, mask.to(module.weight.device), noise.p)
    twin = noised_twin(trace.model, noise.layer, noise.weight, after)
    encoder = twin.encoder
    states = list(trace.hidden_states[: noise.layer + 1])
    x = states[-1].unsqueeze(1).to(twin.device, after.dtype)  # [frames, batch, width]
    position_bias = encoder.compute_bias_curve(trace.num_frames)
    for layer in range(noise.layer, trace.num_layers):
        x = encoder.block(layer)(x, position_bias)
        states.append(_to_cpu(x[:, 0]))
    noised = Trace(twin, trace.audio, trace.normalized, torch.stack(states), _to_cpu(encoder.finish(x)[0]))
    return NoisedPass(noise, mask, _to_cpu(module.weight), _to_cpu(after), noised)


def _to_cpu(tensor: Tensor) -> Float[Tensor, "..."]:
    return tensor.detach().to("cpu", torch.float32, copy=True)
