"""Traces as files: what a pass left behind, its sound, and the weights that explore it, as one safetensors file.

tensors: samples [samples] float32; hidden_states and output as of a Trace; each weight of an excerpt, behind "model.".
metadata: one entry, a JSON object with the version of the format, the sound's name, start and rate, whether it was
normalised, and the model's config and source. One entry, because the library writes several in no order. Version 2 is
of a trace under interventions, and lists them (interventions/facts.py); any other trace is of version 1.
"""

import dataclasses
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, get_args

import torch
from torch import Tensor

from .audio import Audio
from .capacity import check_memory
from .checkpoints.kinds import STRANGERS, TRACE_ENTRY
from .checkpoints.memory import is_finite, open_memory
from .checkpoints.safetensor_files import parse_json, read_safetensors
from .config import FIELD_NAMES, WavLMConfig
from .devices import resolve_device
from .excerpt import is_kept, make_excerpt
from .interventions import Intervention, Plan
from .interventions.facts import from_facts, to_facts
from .source import Provenance, Source
from .tracing import Trace
from .wavlm import WavLM

PLAIN, INTERVENED = VERSIONS = (1, 2)
WEIGHT = "model."  # before the name of each weight
RECORD = ("samples", "hidden_states", "output")
WEIGHT_DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MAX_NAME = 255  # characters of what a sound or a model is called
MAX_SHOWN = 5  # of what is wrong with the tensors


class TraceError(ValueError):
    """A file that is no trace, or not wholly one. The message says what was expected, found, and to do."""


def save_trace(trace: Trace, path: str | Path) -> Path:
    """Do what `Trace.save` says."""
    from safetensors.torch import save_file

    path = Path(path).expanduser()
    partial = path.with_name(path.name + ".partial")
    save_file(_tensors(trace), partial, _metadata(trace))
    os.replace(partial, path)
    return path


def pack_trace(trace: Trace) -> bytes:
    """Return what `Trace.save` would write.

    Raises: as `Trace.save`.
    """
    from safetensors.torch import save

    return save(_tensors(trace), _metadata(trace))


def trace_bytes(trace: Trace) -> int:
    """The size of such a file, without making it; its header is left out."""
    parameters = [tensor for name, tensor in trace.model.named_parameters() if is_kept(name)]
    return trace.audio.samples.nbytes + sum(t.nbytes for t in (trace.hidden_states, trace.output, *parameters))


def load_trace(source: str | Path | bytes | BinaryIO, device: str = "auto") -> Trace:
    """Open a trace that `Trace.save` wrote, wholly explorable without the checkpoint that made it.

    All that is asked of it is, on the same device, bit for bit what the original gives. Its model has all layers, but
    not what hears: run on a new sound, it says so. Nothing in the file is executed.

    source: a path, bytes, or a binary file object.
    device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".

    Raises: FileNotFoundError; TraceError for what is not wholly a trace; MemoryError with the size; ValueError for a
    device that is not there.
    """
    where = resolve_device(device)
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else source
    file = Path(file).expanduser() if isinstance(file, str) else file
    name = Path(str(getattr(file, "name", "trace"))).name
    try:
        trace = _read(open_memory(file), name)
    except ValueError as error:  # of the file, the config, the sound
        raise TraceError(f"{name} cannot be opened as a trace. {error}") from error
    trace.model.to(where)
    return trace


def _tensors(trace: Trace) -> dict[str, Tensor]:
    parameters = {name: tensor.detach() for name, tensor in trace.model.named_parameters() if is_kept(name)}
    tensors = {
        "samples": torch.tensor(trace.audio.samples),
        "hidden_states": trace.hidden_states.contiguous(),
        "output": trace.output.clone(memory_format=torch.contiguous_format),  # it may share the memory of the states
        **{WEIGHT + name: tensor.cpu().contiguous() for name, tensor in parameters.items()},
    }
    _check_finite(tensors)
    return tensors


def _metadata(trace: Trace) -> dict[str, str]:
    audio, model = trace.audio, trace.model
    facts: dict[str, Any] = {
        "version": INTERVENED if trace.interventions else PLAIN,
        "sound": {"name": audio.name, "start": audio.start, "sample_rate": audio.sample_rate},
        "normalized": trace.normalized,
        "config": dataclasses.asdict(model.config),
        "source": {field.name: _plain(getattr(model.source, field.name)) for field in dataclasses.fields(Source)},
    }
    if trace.interventions:
        facts["interventions"] = to_facts(trace.interventions)
    return {TRACE_ENTRY: json.dumps(facts)}


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _read(memory: memoryview, name: str) -> Trace:
    """Raises: ValueError for what is wrong with the file; MemoryError."""
    tensors, facts = _open(memory)
    kinds = {"version": int, "sound": dict, "normalized": bool, "config": dict, "source": dict}
    kinds |= {"interventions": list} if facts["version"] == INTERVENED else {}
    _check_entries("The description of the trace", facts, **kinds)
    sound = facts["sound"]
    _check_entries("The sound", sound, name=str, start=float, sample_rate=int)
    _check_entries("The config", facts["config"], **dict.fromkeys(FIELD_NAMES, object))
    config = WavLMConfig(**facts["config"])
    check_memory(len(memory), f"The tensors of {name}", "Open it on a larger machine, or save a shorter part.")
    record = _read_record(tensors, config)
    audio = Audio(record["samples"].numpy(), sound["sample_rate"], _printable(sound["name"]), sound["start"])
    model = _read_model(tensors, config)
    model.source = _read_source(facts["source"])
    interventions = _read_interventions(facts.get("interventions", []), model, record["hidden_states"].shape[1])
    return Trace(model, audio, facts["normalized"], record["hidden_states"], record["output"], interventions)


def _open(memory: memoryview) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Open a file: its tensors, which are views of the memory, and what it says of itself."""
    start = bytes(memory[:512])
    if start[8:9] != b"{":
        strangers = STRANGERS | {b"PK\3\4": "a zip archive, perhaps a checkpoint, which load_model opens"}
        other = f"another kind of file, which starts with {start[:12]!r}"
        what = next((what for magic, what in strangers.items() if start.startswith(magic)), other)
        raise ValueError(f"Expected a file that trace.save wrote; found {what}.")
    found = read_safetensors(memory)
    if TRACE_ENTRY not in found.metadata:
        raise ValueError(
            "Expected a file that trace.save wrote; found other tensors, perhaps a checkpoint (load_model)."
        )
    facts = parse_json(found.metadata[TRACE_ENTRY].encode(), "the description of the trace")
    if facts.get("version") not in VERSIONS:
        version = repr(facts.get("version"))[:20]
        raise ValueError(
            f"Expected version {PLAIN} or {INTERVENED} of the format; found {version}. Update the toolkit."
        )
    return found.tensors, facts


def _check_entries(what: str, found: dict[str, Any], **expected: type) -> None:
    if found.keys() != expected.keys():
        differ = ", ".join(sorted(found.keys() ^ expected.keys()))[:200]
        raise ValueError(f"{what}: expected {', '.join(expected)}; missing, or too much: {differ}. Save it again.")
    for name, kind in expected.items():
        if kind is not object and type(found[name]) is not kind:
            kinds = f"{kind.__name__}; found {type(found[name]).__name__}"
            raise ValueError(f"{what}, {name}: expected {kinds}. Save it again.")


def _read_record(tensors: Mapping[str, Tensor], config: WavLMConfig) -> dict[str, Tensor]:
    """Copy what the pass left behind, once its shapes are known to belong to each other and to the config."""
    num_samples = tensors["samples"].numel() if "samples" in tensors else 0
    frames, width = config.num_frames(num_samples), config.encoder_embed_dim
    if not frames or config.hop_samples > num_samples:
        raise ValueError(f"Expected samples for at least one frame of the config; found {num_samples}. Save it again.")
    shapes = {
        "samples": (num_samples,),
        "hidden_states": (config.encoder_layers + 1, frames, width),
        "output": (frames, width),
    }
    record = {name: tensors[name] for name in RECORD if name in tensors}
    _check_tensors(record, shapes)
    if wrong := [name for name, tensor in record.items() if tensor.dtype != torch.float32]:
        raise ValueError(f"{wrong[0]}: expected torch.float32; found {record[wrong[0]].dtype}. Save it again.")
    return _copied(record)


def _read_model(tensors: Mapping[str, Tensor], config: WavLMConfig) -> WavLM:
    """Fill a model with the weights, all of one type, which is what the layers compute in."""
    model = make_excerpt(config)
    weights = {name: tensor for name, tensor in tensors.items() if name not in RECORD}
    _check_tensors(weights, {WEIGHT + name: tuple(tensor.shape) for name, tensor in model.named_parameters()})
    dtypes = {tensor.dtype for tensor in weights.values()}
    if len(dtypes) != 1 or not dtypes <= set(WEIGHT_DTYPES):
        found = ", ".join(sorted(map(str, dtypes)))
        raise ValueError(f"Expected weights of one floating point type; found {found}. Save it again.")
    filled = {name.removeprefix(WEIGHT): tensor for name, tensor in _copied(weights).items()}
    model.load_state_dict(filled, assign=True)
    return model


def _check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    problems = [f"missing {name}" for name in expected if name not in found]
    problems += [f"unexpected {name[:100]}" for name in found if name not in expected]
    problems += [
        f"{name}: expected {list(shape)}, found {list(found[name].shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name].shape) != shape
    ]
    if problems:
        more = f"; and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
        shown = "; ".join(problems[:MAX_SHOWN])
        raise ValueError(f"The tensors are not those that the config describes: {shown}{more}. Save it again.")


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors out of the file, which may change or go, into memory aligned as that of every tensor."""
    _check_finite(tensors)
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    if wrong := [name for name, tensor in tensors.items() if not is_finite(tensor)]:
        raise ValueError(f"{wrong[0]} holds NaN or infinity: there is nothing to explore. Trace the sound again.")


def _read_source(facts: dict[str, Any]) -> Source:
    texts = dict.fromkeys(("name", "format", "digest"), str)
    mappings = dict.fromkeys(("fields", "ignored", "filled"), dict)
    _check_entries("The model's source", facts, **texts, **mappings, notes=list)
    inside = [text for name in mappings for pair in facts[name].items() for text in pair] + facts["notes"]
    formats = get_args(Source.__annotations__["format"])
    sound = all(isinstance(text, str) for text in inside) and facts["format"] in formats
    if not sound or not set(facts["fields"].values()) <= set(get_args(Provenance)):
        raise ValueError(f"The model's source: expected names and reasons, and a format among {', '.join(formats)}.")
    return Source(**facts | {"name": _printable(facts["name"]), "notes": tuple(facts["notes"])})


def _read_interventions(facts: list[Any], model: WavLM, num_frames: int) -> tuple[Intervention, ...]:
    """Make them, once it is known that they have a place in the model and the clip."""
    interventions = from_facts(facts)
    try:
        Plan(model, num_frames, interventions)
    except IndexError as error:
        raise ValueError(f"Its interventions have no place in it: {error}.") from error
    return interventions


def _printable(name: str) -> str:
    """A stranger's name for something, safe to print anywhere."""
    return "".join(letter for letter in name if letter.isprintable())[:MAX_NAME]
