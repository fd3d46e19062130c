"""load_model: from a name, a file, a folder or a live model to a WavLM that is ready to trace."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..devices import resolve_device
from ..source import Source
from ..wavlm import WavLM, make_empty
from .checkpoint import Checkpoint
from .errors import CheckpointError
from .memory import is_finite
from .reading import CheckpointSource, read_checkpoint


def load_model(source: CheckpointSource, device: str = "auto", **overrides: Any) -> WavLM:
    """Load a WavLM: in eval mode, in float32, on `device`.

    source: "nano" (bundled); "base", "base-plus", "large" or a Hugging Face id, which are downloaded once; the path of
    a checkpoint's file or folder, its bytes, or a binary file object; a live model of the original, of transformers or
    of torchaudio, whose weights are copied as they are now; a state dict; or what `read_checkpoint` returned.
    device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
    overrides: fields of the config to set whatever the source says, such as normalize=True or max_distance=800.

    The result's `config` is a WavLMConfig; its `source` says where the weights come from and how each field is known.

    Raises: FileNotFoundError; CheckpointError for what is not wholly a WavLM; TypeError for an override that is no
    field; ValueError for one that makes no sense, or a device that is not there.
    """
    where = resolve_device(device)
    return build_model(read_checkpoint(source, **overrides)).to(where)


def build_model(checkpoint: Checkpoint) -> WavLM:
    """Fill a model on the CPU with a checkpoint's tensors.

    Raises: CheckpointError naming what keeps the checkpoint from being a whole WavLM.
    """
    account, config = checkpoint.account, checkpoint.config
    _check_sense(checkpoint)
    _check_names(checkpoint)
    assert config is not None  # else there are problems
    state = {name: checkpoint.tensors[name] for name in account.used}
    _check_extent(state)
    weights = {name: _as_weights(name, tensor) for name, tensor in state.items()}
    model = make_empty(config)
    empty = model.state_dict()
    weights |= {name: torch.zeros(empty[name].shape) for name in account.filled}
    model.load_state_dict(weights, assign=True)
    model.source = Source(
        checkpoint.name,
        checkpoint.layout,
        _digest(model),
        checkpoint.fields,
        account.ignored,
        account.filled,
        checkpoint.notes,
    )
    return model.eval()


def _check_sense(checkpoint: Checkpoint) -> None:
    if checkpoint.problems:
        raise CheckpointError(f"{checkpoint.name} cannot be loaded. {' '.join(checkpoint.problems[:5])}")


def _check_names(checkpoint: Checkpoint) -> None:
    account, config = checkpoint.account, checkpoint.config
    layers = {int(found[1]) for name in checkpoint.tensors if (found := re.match(r"encoder\.layers\.(\d+)\.", name))}
    if config is not None and layers != set(range(config.encoder_layers)):
        raise CheckpointError(
            f"The config asks for {config.encoder_layers} layers; the file's tensors belong to layers "
            f"{sorted(layers)[:30]}. They must be numbered from 0 without a gap, and as many as the config says."
        )
    problems = [f"missing {name}" for name in account.missing]
    problems += [f"unexpected {name}" for name in account.unexpected]
    problems += [
        f"{name}: expected {list(expected)}, found {list(found)}"
        for name, (expected, found) in account.wrong_shape.items()
    ]
    if problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise CheckpointError(f"The checkpoint's tensors are not those that its config describes: {shown}.")


def _check_extent(state: Mapping[str, Tensor]) -> None:
    """Refuse tensors that claim more numbers than there are: a few bytes can pose as a huge tensor, or as many."""
    held = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in state.values()}
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > sum(held.values()):
        raise CheckpointError(
            "The tensors claim more numbers than the file holds. Save them with .contiguous().clone()."
        )


def _as_weights(name: str, tensor: Tensor) -> Tensor:
    """Copy a tensor as float32, so that the model owes nothing to the file or the live model that it came from."""
    if not tensor.is_floating_point():
        raise CheckpointError(f"{name}: expected floating point numbers; found {tensor.dtype}.")
    weights = tensor.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    if not is_finite(weights):
        raise CheckpointError(f"{name} holds NaN or infinity: the file is damaged. Fetch it again.")
    return weights


def _digest(model: WavLM) -> str:
    digest = hashlib.blake2b(repr(model.config).encode(), digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy())
    return digest.hexdigest()
