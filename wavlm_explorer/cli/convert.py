"""wavlm-explorer convert: a checkpoint of any layout, saved in the original's or in Hugging Face's."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .options import CheckpointArgument, SetOption, read_settings
from .terminal import errors, explained, fail, output, progress, styled

if TYPE_CHECKING:
    from ..checkpoints import Checkpoint
    from ..wavlm import WavLM

EXAMPLES = """Examples:

wavlm-explorer convert WavLM-Base+.pt wavlm-base-plus/

wavlm-explorer convert my-finetuned/ my-finetuned.pt --to microsoft

wavlm-explorer convert bare_state_dict.pt out.pt --set normalize=true --set max_distance=800

Exit code: 0 written and read back equal, 2 trouble."""
NAMES_SHOWN = 6

Layout = Literal["microsoft", "huggingface"]


def command(
    source: CheckpointArgument,
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .pt file, or a folder for Hugging Face's layout.")],
    to: Annotated[
        Layout | None, typer.Option("--to", help="By the form of OUT when not given.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    settings: SetOption = None,
) -> None:
    """Convert a checkpoint to the original's layout (one .pt file) or Hugging Face's (a folder)."""
    with explained():
        overrides = read_settings(settings)
        _check_target(target, to, force)
        with progress("Converting"):
            from ..checkpoints import build_model, read_checkpoint, save_model

            checkpoint = read_checkpoint(source, **overrides)
            model = build_model(checkpoint)
            save_model(model, target, to)
            written = _read_back(model, target)
    output().print(styled(f"{checkpoint.name} ({checkpoint.layout} layout) -> {target}: {len(written.tensors)} "
                          "tensors, read back and equal in every bit."))  # fmt: skip
    for line in [*_remarks(checkpoint), *_not_expressed(checkpoint, written)]:
        errors().print(styled(line))


def _check_target(target: Path, to: Layout | None, force: bool) -> None:
    if to is None and target.suffix == ".safetensors":
        fail(f"{target}: Hugging Face's layout is a folder (config.json, model.safetensors); name one, such as "
             f"{target.with_suffix('')}/, or a .pt file for the original's layout.")  # fmt: skip
    if to == "huggingface" and target.is_file():
        fail(f"{target} is a file; Hugging Face's layout is a folder.")
    is_there = any(target.iterdir()) if target.is_dir() else target.exists()
    if is_there and not force:
        fail(f"{target} is already there; add --force to overwrite it.")
    if not target.absolute().parent.is_dir():
        fail(f"There is no folder {target.absolute().parent}.")


def _read_back(model: "WavLM", target: Path) -> "Checkpoint":
    """Read what was written and compare it with what was meant, bit by bit.

    Raises: ValueError naming a tensor that differs.
    """
    import torch

    from ..checkpoints import read_checkpoint

    written = read_checkpoint(target)
    for name, tensor in model.state_dict().items():
        if name not in written.tensors or not torch.equal(tensor, written.tensors[name]):
            raise ValueError(f"{target} was written, but {name} does not read back as it was meant; do not use it")
    return written


def _remarks(checkpoint: "Checkpoint") -> list[str]:
    """Say what the new file does not hold, and what was decided on the way."""
    from ..comparison.difference import TRAINING_FIELDS

    account, remarks = checkpoint.account, list(checkpoint.notes)
    for reason, number in Counter(account.ignored.values()).items():
        names = [name for name, why in account.ignored.items() if why == reason]
        remarks.append(f"Left out, {reason}: {', '.join(names[:NAMES_SHOWN])}{', ...' if number > NAMES_SHOWN else ''}")
    remarks += [f"Not in the file: {name}, {why}." for name, why in account.filled.items()]
    dtypes = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in checkpoint.tensors.values())
    if set(dtypes) != {"float32"}:
        remarks.append(f"Saved as float32; the file has {', '.join(dtypes)}.")
    assumed = [
        f"{name} = {getattr(checkpoint.config, name)}"
        for name, how in checkpoint.fields.items()
        if how == "assumed" and name not in TRAINING_FIELDS
    ]
    if assumed:
        remarks.append(f"Assumed, for neither config nor shapes tell: {', '.join(assumed)}. Correct it with --set.")
    return remarks


def _not_expressed(checkpoint: "Checkpoint", written: "Checkpoint") -> list[str]:
    """Say which fields of the config the new layout has no place for."""
    from ..comparison.diffing import compare_fields

    return [
        f"Not expressed in this layout: {one.name} = {one.value_a}; whoever reads it will take {one.value_b}"
        + (" (matters in training only)." if one.is_for_training_only else ".")
        for one in compare_fields(checkpoint, written)
    ]
