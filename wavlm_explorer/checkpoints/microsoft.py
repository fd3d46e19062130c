"""The original's files: a dictionary with the config under "cfg" and the tensors under "model"."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .errors import CheckpointError

# Heads and targets that only pre-training uses.
PRE_TRAINING_KEYS = re.compile(r"^(final_proj\.|label_embs_concat$|target_glu\.)")

# The two tensors of a weight norm, as newer PyTorch spells them.
WEIGHT_NORM_SPELLINGS = {
    "encoder.pos_conv.0.parametrizations.weight.original0": "encoder.pos_conv.0.weight_g",
    "encoder.pos_conv.0.parametrizations.weight.original1": "encoder.pos_conv.0.weight_v",
}


def read_microsoft(file: Path | BinaryIO) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read (cfg, state dict) from a file of the original's layout, without executing any pickle in it.

    A path is memory-mapped, so a tensor costs nothing until it is used.

    Raises: CheckpointError for a file that PyTorch cannot read safely, or of another layout.
    """
    _refuse_compressed(file)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=isinstance(file, Path))
    except FileNotFoundError:
        raise
    except Exception as error:  # the file is a stranger's: any failure of the reader is a statement about it
        raise CheckpointError(_explain(error)) from None
    if not isinstance(content, Mapping) or not {"cfg", "model"} <= content.keys():
        found = ", ".join(map(str, list(content)[:6])) if isinstance(content, Mapping) else type(content).__name__
        raise CheckpointError(
            "Expected a checkpoint in the original's layout: a dictionary with 'cfg' and 'model'. "
            f"Found: {found or 'an empty dictionary'}. Save it as torch.save({{'cfg': {{...}}, 'model': state_dict}}, "
            "path), with the config's fields as plain values."
        )
    cfg, state = content["cfg"], content["model"]
    if not isinstance(cfg, Mapping) or not isinstance(state, Mapping):
        raise CheckpointError(
            "Expected 'cfg' and 'model' to be dictionaries; "
            f"found {type(cfg).__name__} and {type(state).__name__}. Convert the config with dict(vars(cfg))."
        )
    strangers = [name for name, tensor in state.items() if not isinstance(tensor, Tensor)]
    if strangers:
        raise CheckpointError(f"Expected tensors under 'model'; found something else under {strangers[:4]}.")
    return dict(cfg), {WEIGHT_NORM_SPELLINGS.get(str(name), str(name)): tensor for name, tensor in state.items()}


def check_layers(num_layers: int, state: Mapping[str, Tensor]) -> None:
    """Refuse a file whose layers are not those that its config asks for.

    Raises: CheckpointError.
    """
    indices = {int(match[1]) for name in state if (match := re.match(r"encoder\.layers\.(\d{1,6})\.", name))}
    if indices != set(range(num_layers)):
        raise CheckpointError(
            f"The config asks for {num_layers} layers; the file's tensors belong to layers {sorted(indices)[:30]}. "
            "They must be numbered from 0 without a gap, and as many as the config says."
        )


def check_values(state: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are no weights: not of floating point, not finite, or larger than what the file holds.

    A few bytes can pose as a huge tensor, by repeating one number or by lending the same numbers to many.

    Raises: CheckpointError naming the tensor.
    """
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            raise CheckpointError(f"{name}: expected floating point numbers; found {tensor.dtype}.")
    held = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in state.values()}
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > sum(held.values()):
        raise CheckpointError(
            "The tensors claim more numbers than the file holds. Save them with .contiguous().clone()."
        )
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"{name} holds NaN or infinity: the file is damaged. Fetch it again.")


def _refuse_compressed(file: Path | BinaryIO) -> None:
    """PyTorch stores its archives uncompressed; a compressed one could unfold to any size."""
    if zipfile.is_zipfile(file):
        try:
            with zipfile.ZipFile(file) as archive:
                compressed = [entry for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
        except zipfile.BadZipFile as error:
            raise CheckpointError(_explain(error)) from None
        if compressed:
            raise CheckpointError("Expected an archive as torch.save writes it, uncompressed; found a compressed one.")
    if not isinstance(file, Path):
        file.seek(0)


def _explain(error: Exception) -> str:
    text = " ".join(str(error).split())
    foreign = re.search(r"(?:GLOBAL|Unsupported class) ([\w.]+)", text)
    if foreign:
        return (
            f"The file holds a Python object ({foreign[1]}) that could run code when read, so it was not read. "
            "Expected tensors and plain values only. If you trust where it comes from, open it there and save "
            "{'cfg': dict, 'model': state_dict} with torch.save."
        )
    return (
        "The file cannot be read as a PyTorch checkpoint: it is of another kind, damaged, or cut short "
        f"({type(error).__name__}). Expected what torch.save writes; if it was downloaded, compare its size and "
        "fetch it again."
    )
