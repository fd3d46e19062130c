"""Files of torch.save: zip archives (torch 1.6 and later) and the older sequence of pickles and storages."""

import re
import struct
import zipfile
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .contents import Placeholder
from .errors import CheckpointError
from .memory import numbers
from .pickles import Reading, read_pickle
from .rebuilding import STORAGES, is_count

MAX_DIRECTORY = 16 * 2**20  # bytes; torch.save writes some 60 a tensor
MAX_KEY = 100  # characters of a storage's name
LEGACY_MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")  # torch's magic number, in a pickle


def read_archive(file: BinaryIO, memory: memoryview) -> Reading:
    """Read a zip archive of torch.save: its tensors are views of the memory.

    Raises: CheckpointError.
    """
    records, root = _records(file, memory)
    if records.get(f"{root}/byteorder", b"little") != b"little":
        raise CheckpointError(
            "The file was saved on a big-endian machine. Load it there with torch.load and save it as safetensors."
        )
    storages: dict[tuple[str, torch.dtype], Tensor] = {}

    def storage(identity: tuple[Any, ...]) -> Tensor:
        dtype, key, count = _parse_identity(identity[:5])
        record = records.get(f"{root}/data/{key}")
        if record is None or count * dtype.itemsize > len(record):
            raise CheckpointError(
                f"A tensor needs {count * dtype.itemsize:,} bytes in the record data/{key[:40]} of the archive; found "
                f"{'no such record' if record is None else f'{len(record):,}'}. Fetch the file again."
            )
        if (key, dtype) not in storages:
            storages[key, dtype] = numbers(record, dtype, 0, count)
        return storages[key, dtype]

    return read_pickle(records[f"{root}/data.pkl"], 0, storage)


def _records(file: BinaryIO, memory: memoryview) -> tuple[dict[str, memoryview], str]:
    """Find the records of a zip archive: (name -> its bytes, name of the archive's root).

    Raises: CheckpointError for archives that torch.save does not write: compressed, with records that overlap, of
    another program.
    """
    try:
        with zipfile.ZipFile(_Bounded(file)) as archive:  # pyright: ignore[reportArgumentType]
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except Exception as error:  # the file is a stranger's: any failure of the reader is a statement about it
        raise CheckpointError(
            f"The file starts as a zip archive, but its end is missing or damaged ({str(error)[:80]}). It was probably "
            "cut short: compare its size and fetch it again."
        ) from None
    root = _root([entry.filename for entry in entries])
    records: dict[str, memoryview] = {}
    end = 0
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise CheckpointError(
                "Expected an archive as torch.save writes it, uncompressed; found a compressed or encrypted one. "
                "Unpack it, or load it with torch.load and save it again."
            )
        header = memory[entry.header_offset : entry.header_offset + 30]
        if entry.header_offset < end or bytes(header[:4]) != b"PK\3\4" or len(header) < 30:
            raise CheckpointError("The records of the archive overlap or are damaged: fetch the file again.")
        start = entry.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))  # name and extra field
        end = start + entry.file_size
        if end > len(memory) or entry.filename in records:
            raise CheckpointError("Records of the archive lie beyond its end, or twice in it: fetch the file again.")
        records[entry.filename] = memory[start:end]
    return records, root


def _root(names: list[str]) -> str:
    kinds = {
        r"[^/]+/constants\.pkl": "a TorchScript program; save model.state_dict() instead",
        r"[^/]+/archive_format|serialized_exported_program\.json": "a program of torch.export; save model.state_dict()",
        r".*\.npy": "arrays of numpy; save the tensors with torch.save",
        r"(.*/)?model\.weights\.h5": "a Keras model, and WavLM has no Keras layout",
        r"(.*/)?(model\.safetensors|pytorch_model\.bin)": "a packed folder. Unpack it and open the folder",
    }
    for pattern, kind in kinds.items():
        if any(re.fullmatch(pattern, name) for name in names):
            raise CheckpointError(f"Expected a checkpoint; the archive holds {kind}.")
    roots = [name.partition("/")[0] for name in names if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(roots) != 1:
        shown = ", ".join(name[:60] for name in names[:5])
        raise CheckpointError(
            f"Expected an archive of torch.save, with one data.pkl; found {len(roots)} in a zip file of {len(names)} "
            f"entries: {shown or 'none'}."
        )
    return roots[0]


class _Bounded:
    """A file for zipfile, which reads the directory of an archive in one piece, however large it claims to be."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(MAX_DIRECTORY + 1 if size < 0 else min(size, MAX_DIRECTORY + 1))
        if len(content) > MAX_DIRECTORY:
            raise zipfile.BadZipFile("its directory is too large")
        return content


def read_legacy(memory: memoryview) -> Reading:
    """Read a file of torch.save before 1.6, or with `_use_new_zipfile_serialization=False`: tensors are views of it.

    It holds the pickles of a magic number, of a version, of the machine's properties, of the object, of its storages'
    keys, and then every storage: how many numbers it has, and these.

    Raises: CheckpointError.
    """
    position = read_pickle(memory).end
    version = read_pickle(memory, position)
    machine = read_pickle(memory, version.end)
    if version.value != 1001 or not isinstance(machine.value, dict) or not machine.value.get("little_endian"):
        raise CheckpointError("Expected version 1001 of torch's older format, little-endian. Save the file again.")
    expected: dict[str, tuple[torch.dtype, int]] = {}

    def without_memory(identity: tuple[Any, ...]) -> Any:
        if identity[:1] == ("module",):
            return identity[1]
        dtype, key, count = _parse_identity(identity[:5])
        if expected.setdefault(key, (dtype, count)) != (dtype, count):
            raise CheckpointError(f"The file's storage {key[:40]} has two types or sizes: it is damaged.")
        return _part(torch.empty(count, dtype=dtype, device="meta"), identity)

    first = read_pickle(memory, machine.end, without_memory)  # to learn where it ends and what lies behind
    keys = read_pickle(memory, first.end)
    storages = _legacy_storages(memory, keys, expected)

    def storage(identity: tuple[Any, ...]) -> Any:
        return identity[1] if identity[:1] == ("module",) else _part(storages[str(identity[2])], identity)

    return read_pickle(memory, machine.end, storage)


def _legacy_storages(
    memory: memoryview, keys: Reading, expected: dict[str, tuple[torch.dtype, int]]
) -> dict[str, Tensor]:
    if not isinstance(keys.value, list) or sorted(map(str, keys.value)) != sorted(expected):
        raise CheckpointError("The storages that follow in the file are not those of its tensors: it is damaged.")
    needed = keys.end + sum(8 + dtype.itemsize * count for dtype, count in expected.values())
    if needed > len(memory):
        raise CheckpointError(
            f"The file was cut short: its tensors need {needed:,} bytes, it has {len(memory):,}. Fetch it again."
        )
    storages: dict[str, Tensor] = {}
    position = keys.end
    for key in map(str, keys.value):
        dtype, count = expected[key]
        found = int.from_bytes(memory[position : position + 8], "little")
        if found != count:
            raise CheckpointError(f"A storage of {count:,} numbers was announced; found {found:,}. Fetch it again.")
        storages[key] = numbers(memory, dtype, position + 8, count)
        position += 8 + count * dtype.itemsize
    return storages


def _part(storage: Tensor, identity: tuple[Any, ...]) -> Tensor:
    """The part of a legacy storage that a persistent id means: (..., key, offset, size) at its end, or all of it."""
    view = identity[5] if len(identity) > 5 else None
    if view is None:
        return storage
    if not (isinstance(view, tuple) and len(view) == 3 and is_count(view[1]) and is_count(view[2])):
        raise CheckpointError("The file's pickle describes a view of a storage in another way than torch does.")
    if view[1] + view[2] > len(storage):
        raise CheckpointError(f"A view ends at number {view[1] + view[2]:,} of a storage that has {len(storage):,}.")
    return storage[view[1] : view[1] + view[2]]


def _parse_identity(identity: tuple[Any, ...]) -> tuple[torch.dtype, str, int]:
    """Take a storage's persistent id apart: (dtype, key, count) of ("storage", class, key, device, count).

    Raises: CheckpointError.
    """
    kind, of, key, _, count = identity if len(identity) == 5 else (None,) * 5
    name = of.name.replace("torch.cuda.", "torch.") if isinstance(of, Placeholder) else ""
    is_key = is_count(key) or (isinstance(key, str) and len(key) < MAX_KEY)
    if kind != "storage" or not is_key or not is_count(count):
        raise CheckpointError("The file's pickle refers to something outside of it that is no tensor's storage.")
    if name not in STORAGES:
        raise CheckpointError(f"The file holds a tensor of {name[:100] or 'no type'}, which is not read.")
    return STORAGES[name], str(key), count
