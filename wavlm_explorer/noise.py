"""Quantisation noise on one weight of a model, without touching the model: what one draw would do to a clip."""

import copy
import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .interventions import Plan
from .keeping import Keeper
from .modules import GLU_Linear, draw_block_mask, noised_weight
from .passes import Progress, ignore, later_pass
from .tracing import Trace
from .wavlm import WavLM

LINEAR_NAMES = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
TABLE_NAME = "relative_attention_bias"  # an Embedding: a row for each bucket, a column for each head
LARGEST_BLOCK = 16


@dataclass(frozen=True)
class Noise:
    """One draw of noise: which blocks of which weight."""

    layer: int  # 0 for the table, which serves all layers
    weight: str  # one of LINEAR_NAMES, or TABLE_NAME
    p: float  # the chance of each block to be dropped
    block_size: int  # consecutive inputs of one output, or heads of one bucket
    draw: int = 0  # the seed


@dataclass(frozen=True, eq=False)
class NoisedPass:
    """A clip's way through a copy of the model whose one weight is noised."""

    noise: Noise
    mask: Bool[Tensor, "rows columns"]  # True where dropped
    before: Float[Tensor, "rows columns"]
    after: Float[Tensor, "rows columns"]
    trace: Trace


def weight_names(model: WavLM) -> tuple[str, ...]:
    """What noise can be put on: the linear layers, and the table of position biases where there is one."""
    return (*LINEAR_NAMES, TABLE_NAME) if model.config.relative_position_embedding else LINEAR_NAMES


def block_sizes(model: WavLM) -> tuple[int, ...]:
    """The block sizes that divide the inputs of every linear layer in LINEAR_NAMES: powers of two up to 16."""
    common = math.gcd(model.config.encoder_embed_dim, model.config.encoder_ffn_embed_dim)
    sizes = [1]
    while sizes[-1] < LARGEST_BLOCK and common % (2 * sizes[-1]) == 0:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def weight_module(model: WavLM, layer: int, weight: str) -> nn.Linear | nn.Embedding:
    """Find the module of that name; in a feed-forward with GLU, fc1 is the linear layer inside it.

    Raises: ValueError for a name that this model has not, and for its table in another layer than 0.
    """
    if weight not in weight_names(model):
        raise ValueError(f"weight: expected one of {', '.join(weight_names(model))}; found {weight!r}")
    if weight == TABLE_NAME and layer != 0:
        raise ValueError(f"layer: expected 0, where the table of all layers stands; found {layer}")
    block = model.encoder.block(layer)
    module = getattr(block if weight.startswith("fc") else block.self_attn, weight)
    return module.linear if isinstance(module, GLU_Linear) else module


def fit_noise(model: WavLM, layer: int, weight: str, p: float, block_size: int, draw: int) -> Noise:
    """Noise in blocks of the size that is wanted, or of the largest that divides both it and the weight's columns.

    For the table the layer is 0.

    Raises: ValueError for a name that this model has not.
    """
    layer = 0 if weight == TABLE_NAME else layer
    columns = weight_module(model, layer, weight).weight.shape[1]
    return Noise(layer, weight, p, math.gcd(block_size, columns), draw)


def draw_mask(module: nn.Linear | nn.Embedding, noise: Noise) -> Bool[Tensor, "rows columns"]:
    """Draw the mask on the CPU, so that one seed means one mask on every device.

    Raises: as `check_quant_noise`.
    """
    rows, columns = module.weight.shape
    shape = nn.utils.skip_init(nn.Linear, columns, rows, bias=False)  # only its shape is read
    return draw_block_mask(shape, noise.p, noise.block_size, torch.Generator().manual_seed(noise.draw))


def noised_twin(model: WavLM, layer: int, weight: str, after: Float[Tensor, "rows columns"]) -> WavLM:
    """Return a second model that has `after` for one weight and shares all other tensors with the first.

    The first is only read: other sessions may be running it.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)  # what the memo holds is not copied
    weight_module(twin, layer, weight).weight = nn.Parameter(after, requires_grad=False)
    return twin


@torch.no_grad()
def run_noised(trace: Trace, noise: Noise, progress: Progress = ignore) -> NoisedPass:
    """Run the layers from the noised one on, from what the clean pass remembers, under the same interventions.

    progress: called with the share of the work done, 0 to 1; what it raises ends the run.

    Raises: ValueError for a weight, p or block size that cannot be; MemoryError with the size.
    """
    module = weight_module(trace.model, noise.layer, noise.weight)
    mask = draw_mask(module, noise)
    after = noised_weight(module.weight, mask.to(module.weight.device), noise.p)
    twin = noised_twin(trace.model, noise.layer, noise.weight, after)
    plan = Plan(twin, trace.num_frames, trace.interventions)
    record = later_pass(twin, len(trace.audio.samples), trace.hidden_states, noise.layer, plan, progress)
    noised = Trace(twin, trace.audio, trace.normalized, *record, trace.interventions)
    return NoisedPass(noise, mask, _to_cpu(module.weight), _to_cpu(after), noised)


_passes: Keeper[NoisedPass] = Keeper()


def noised_pass(trace: Trace, noise: Noise) -> NoisedPass:
    """`run_noised`, whose latest result is kept."""
    return _passes.recall(trace, lambda: run_noised(trace, noise), subject=noise)


def relative_changes(clean: Trace, noised: Trace) -> tuple[Float[Tensor, " states"], float]:
    """||noised - clean|| / ||clean|| of every hidden state, and of the output."""
    norm = torch.linalg.vector_norm
    states = norm(noised.hidden_states - clean.hidden_states, dim=(1, 2)) / norm(clean.hidden_states, dim=(1, 2))
    return states, float(norm(noised.output - clean.output) / norm(clean.output))


def _to_cpu(tensor: Tensor) -> Float[Tensor, "..."]:
    return tensor.detach().to("cpu", torch.float32, copy=True)
