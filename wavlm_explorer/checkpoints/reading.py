"""read_checkpoint: from any source to a Checkpoint, in which every tensor and every field is accounted for."""

import dataclasses
import io
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from ..config import FIELD_NAMES, WavLMConfig
from ..source import Provenance
from ..wavlm import make_empty
from .accounting import account_for, split_packed, unfold_weight_norm
from .checkpoint import Checkpoint
from .contents import Contents
from .errors import CheckpointError
from .geometry import fields_from_shapes, nearest_release
from .heads import why_beside
from .hub import NAMES, fetch
from .huggingface import config_from_huggingface
from .layouts import original_name
from .live import hold
from .opening import open_contents
from .search import Encoder, find_config, find_encoders

BUNDLED = {"nano": "nano/nano.pt"}  # name -> file under assets/
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
FILE_ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".th", ".json")

CheckpointSource = str | Path | bytes | BinaryIO | torch.nn.Module | Mapping[str, Any] | Contents | Checkpoint


def read_checkpoint(source: CheckpointSource, **overrides: Any) -> Checkpoint:
    """Read what a source holds, translate it into the original's names, and account for every tensor.

    source: what `load_model` takes. overrides: fields of the config to set whatever the source says.

    Nothing is refused that can be explained: what is missing, unexpected or of a wrong shape is in the result's
    `account`, what else is wrong in its `problems`.

    Raises: FileNotFoundError; CheckpointError for what cannot be read, or holds no WavLM at all; TypeError for a source
    of another kind, or an override that is no field.
    """
    unknown = sorted(set(overrides) - set(FIELD_NAMES))
    if unknown:
        raise TypeError(f"{', '.join(unknown)} is no field of WavLMConfig; known: {', '.join(FIELD_NAMES)}")
    if isinstance(source, Checkpoint):
        source, overrides = source.contents, dict(source.overrides) | overrides
    contents = source if isinstance(source, Contents) else _open(source)
    encoders = find_encoders(contents.values)
    if not encoders:
        raise CheckpointError(_explain_stranger(contents))
    encoder, *others = encoders
    tensors, origins = _translate(encoder)
    tensors, origins, notes = split_packed(tensors, origins)
    notes += unfold_weight_norm(tensors, origins)
    return _assemble(contents, encoder, others, tensors, origins, notes, overrides)


def _open(source: CheckpointSource) -> Contents:
    if isinstance(source, torch.nn.Module | Mapping):
        return hold(source)
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not isinstance(source, str | Path):
        if not hasattr(source, "read"):
            raise TypeError(
                "Expected a name, a path, bytes, a binary file, a model or a state dict; found "
                f"{type(source).__name__}."
            )
        file = cast(BinaryIO, source)
        return open_contents(file, Path(str(getattr(file, "name", "checkpoint"))).name)
    path = Path(source).expanduser()
    if isinstance(source, str) and source in BUNDLED:
        bundled = Path(str(files("wavlm_explorer") / "assets" / BUNDLED[source]))
        return dataclasses.replace(open_contents(bundled, source), name=source)
    if path.exists():
        return open_contents(path, path.name)
    text = str(source)
    if text in NAMES or (HUB_NAME.fullmatch(text) and not text.endswith(FILE_ENDINGS)):
        return dataclasses.replace(open_contents(fetch(text), text), name=text)
    raise FileNotFoundError(
        f"No checkpoint at {path}. Expected one of {', '.join([*BUNDLED, *NAMES])}, a Hugging Face id such as "
        "microsoft/wavlm-base-plus, or the path of a checkpoint's file or folder."
    )


def _translate(encoder: Encoder) -> tuple[dict[str, Tensor], dict[str, tuple[str, ...]]]:
    """Give an encoder's tensors the original's names; say of each which name it had in the file."""
    named = [(name, original_name(name, encoder.layout, encoder.prefix)) for name in encoder.state]
    has_norms = any(re.fullmatch(r".*conv_layers\.[1-9]\d*\.norm\..*", ours) for _, ours in named if ours)
    tensors, origins = {}, {}
    for name, ours in named:
        if ours is None:
            continue
        ours = ours.replace(".norm.", ".2.1." if has_norms else ".2.")
        if ours not in tensors:  # a second spelling of the same tensor stays a stranger
            tensors[ours], origins[ours] = encoder.state[name], (name,)
    return tensors, origins


def _assemble(
    contents: Contents,
    encoder: Encoder,
    others: list[Encoder],
    tensors: dict[str, Tensor],
    origins: dict[str, tuple[str, ...]],
    notes: list[str],
    overrides: Mapping[str, Any],
) -> Checkpoint:
    shapes_say = fields_from_shapes(tensors)
    cfg, config_says, problems = _read_config(contents)
    # The original's code takes its defaults for what its config is silent on; nobody else's code does.
    assumed = WavLMConfig() if config_says and encoder.layout == "microsoft" else nearest_release(shapes_say)
    fields: dict[str, Provenance] = {
        name: "overridden" if name in overrides
        else "read" if name in config_says
        else "inferred" if name in shapes_say
        else "assumed"
        for name in FIELD_NAMES
    }  # fmt: skip
    config, expected_shapes = None, {}
    try:
        config = dataclasses.replace(assumed, **{**shapes_say, **config_says, **overrides})
        expected_shapes = {name: tuple(tensor.shape) for name, tensor in make_empty(config).state_dict().items()}
    except ValueError as error:
        problems.append(f"The config makes no sense: {error}")
    beside = {name: why for name in encoder.state if (why := why_beside(name.removeprefix(encoder.prefix)))}
    account = account_for(contents.values, encoder, others, tensors, origins, expected_shapes)
    problems += [f"Expected tensors; found something else under {name}." for name in encoder.no_tensors[:4]]
    return Checkpoint(
        contents=contents,
        layout=encoder.layout,
        prefix=encoder.prefix,
        where=encoder.where,
        head=next((why.head for why in beside.values() if why.head), ""),
        config=config,
        fields=fields,
        shapes_say=shapes_say,
        config_says=config_says,
        cfg=cfg,
        tensors=tensors,
        account=account,
        overrides=dict(overrides),
        problems=tuple(problems),
        notes=tuple(notes),
        copies={f"{other.where}.{other.prefix}".strip("."): _translate(other)[0] for other in others},
    )


def _read_config(contents: Contents) -> tuple[Mapping[str, Any], dict[str, Any], list[str]]:
    if contents.config is not None:
        fields, problems = config_from_huggingface(contents.config, contents.preprocessor)
        return contents.config, fields, problems
    cfg = find_config(contents.values)
    return cfg, {name: value for name, value in cfg.items() if name in FIELD_NAMES}, []


def _explain_stranger(contents: Contents) -> str:
    values = contents.values
    keys = [str(key)[:60] for key in list(values)[:6]] if isinstance(values, Mapping) else [type(values).__name__]
    foreign = f" Not loaded: Python objects of {', '.join(contents.foreign[:4])}." if contents.foreign else ""
    return (
        f"No tensors of a WavLM were recognised in {contents.name}. Expected names such as "
        "'encoder.layers.0.self_attn.q_proj.weight' (original), 'encoder.layers.0.attention.q_proj.weight' (Hugging "
        "Face) or 'encoder.transformer.layers.0.attention.attention.in_proj_weight' (torchaudio), also behind a prefix "
        f"or within dictionaries. Found: {', '.join(keys) or 'nothing'}.{foreign}"
    )
