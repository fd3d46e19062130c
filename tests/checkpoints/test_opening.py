"""Opening whatever a visitor brings: files, folders, uploads; everything else is named."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from wavlm_explorer.checkpoints.errors import CheckpointError
from wavlm_explorer.checkpoints.opening import open_contents

TENSORS = {
    "a.weight": torch.randn(5, 7),
    "b": torch.randn(3).half(),
    "c": torch.tensor(2),
    "d": torch.empty(0, 4),
    "e": torch.randn(9).bfloat16(),
    "f": torch.tensor([True, False, True]),
}


def opened(data: bytes):
    return open_contents(io.BytesIO(data), "test")


def same(ours, theirs):
    assert sorted(ours) == sorted(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert ours[name].shape == tensor.shape
        assert torch.equal(ours[name], tensor)


def headed(header, numbers=b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def entry(shape=(2,), offsets=(0, 8), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


# Safetensors


def test_safetensors_are_those_of_the_library(tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file(TENSORS, path, {"format": "pt"})
    for contents in (open_contents(path, "x"), opened(path.read_bytes())):
        same(contents.values, safetensors.torch.load_file(path))
        assert contents.container == "safetensors"
        assert contents.metadata == {"format": "pt"}
        assert contents.config is None
        assert contents.num_bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (safetensors.torch.save(TENSORS)[:-1], r"announces [\d,]+ bytes; the file has [\d,]+\. It was cut short"),
        (safetensors.torch.save(TENSORS)[:40], "header should have .* cut short"),
        (safetensors.torch.save(TENSORS) + b"x", "It is damaged"),
        ((10**15).to_bytes(8, "little") + b"{", "header should have 1,000,000,000,000,000 bytes; the file has 9"),
        (headed(b"{" + b"[" * 100_000), "header to be JSON; it is not"),
        (headed(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "header to be JSON; it is not|expected dtype"),
        (headed(b'{"a": ' + b"9" * 10_000 + b"}"), "header to be JSON; it is not"),
        (headed({"a": entry(shape=(10**9, 10**9))}, bytes(8)), r"^a: 1,000,000,000,000,000,000 numbers .* gives 8"),
        (headed({"a": entry(shape=(-2,))}, bytes(8)), "^a: expected dtype, shape and data_offsets"),
        (headed({"a": entry(shape=(2,) * 17)}, bytes(8)), "^a: expected dtype, shape and data_offsets"),
        (headed({"a": entry(offsets=(0, 8, 8))}, bytes(8)), "^a: expected dtype, shape and data_offsets"),
        (headed({"a": 3}), "^a: expected dtype, shape and data_offsets"),
        (headed({"a": {"dtype": "F32"}}), "^a: expected dtype, shape and data_offsets"),
        (headed({"a": entry(dtype="F4")}, bytes(8)), "^a has the type F4"),
        (headed({"a": entry(), "b": entry()}, bytes(8)), "^b should start at byte 8 of the numbers; found 0"),
        (headed({"a": entry(offsets=(4, 12))}, bytes(12)), "^a should start at byte 0 of the numbers; found 4"),
        (headed({"__metadata__": 3}), "metadata that is no dictionary"),
    ],
)
def test_damaged_safetensors_are_refused_by_name(data, message):
    with pytest.raises(CheckpointError, match=message):
        opened(data)
    with pytest.raises(safetensors.SafetensorError if b"__metadata__" not in data else Exception):
        safetensors.torch.load(data)


# Files of other kinds


def tar_file() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    return buffer.getvalue()


def npy_file() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty: 0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 377617425\n", "Git LFS.*git lfs pull"),
        (b"<!DOCTYPE html><html><title>404</title>", "a web page, perhaps an error message"),
        (b"\n  <html>", "a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a web page"),
        (b"\x1f\x8b\x08" + bytes(50), "gzip. Unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
        (b"GGUF\3\0\0\0", "GGUF"),
        (b"\x1c\0\0\0TFL3" + bytes(50), "TFLite"),
        (b"\x08\x07\x12\x07pytorch\x1a\x051.9.0:", "ONNX"),
        (tar_file(), "tar archive"),
        (npy_file(), "array of numpy"),
        (b"RIFF\0\0\0\0WAVEfmt ", "sound file. Open it as audio"),
        (b'{"model_type": "wavlm"}', "JSON. A config is read beside its weights"),
        (b"\x80\x04N.", "a pickle that torch.save did not write"),
        (b"hello", r"starts with b'hello'"),
        (b"PK\3\4" + bytes(100), "end is missing or damaged"),
    ],
)
def test_other_files_are_named(data, message, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        with pytest.raises(CheckpointError, match=message):
            open_contents(source, "model.pt")


def test_a_path_without_anything_is_the_caller_s_to_explain(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_contents(tmp_path / "nothing.pt", "nothing.pt")


# Folders of Hugging Face


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "config.json").write_text('{"model_type": "wavlm", "hidden_size": 24}')
    (tmp_path / "preprocessor_config.json").write_text('{"do_normalize": true}')
    return tmp_path


def add_shards(folder: Path, ending: str) -> list[Path]:
    stem = "model" if ending == "safetensors" else "pytorch_model"
    names = sorted(TENSORS)
    parts = {f"{stem}-0000{i + 1}-of-00002.{ending}": names[i::2] for i in range(2)}
    for file, part in parts.items():
        state = {name: TENSORS[name] for name in part}
        if ending == "safetensors":
            safetensors.torch.save_file(state, folder / file)
        else:
            torch.save(state, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps(index))
    return [folder / file for file in parts]


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_a_folder_is_its_config_and_weights_in_one_file_or_in_shards(folder, ending):
    if ending == "safetensors":
        single = folder / "model.safetensors"
        safetensors.torch.save_file(TENSORS, single)
    else:
        single = folder / "pytorch_model.bin"
        torch.save(TENSORS, single)
    for path in (folder, folder / "config.json", single):
        contents = open_contents(path, "mine")
        same(contents.values, TENSORS)
        assert (contents.container, contents.name) == ("Hugging Face folder", "mine")
        assert contents.config == {"model_type": "wavlm", "hidden_size": 24}
        assert contents.preprocessor == {"do_normalize": True}
        assert contents.num_bytes == single.stat().st_size
    single.unlink()
    shards = add_shards(folder, ending)
    for path in (folder, *shards, *folder.glob("*.index.json")):
        same(open_contents(path, "mine").values, TENSORS)


def test_weights_without_a_config_have_none(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "model.safetensors")
    assert open_contents(tmp_path / "model.safetensors", "x").container == "safetensors"
    contents = open_contents(tmp_path, "x")
    assert contents.container == "Hugging Face folder"
    assert contents.config is None


def test_a_folder_that_lacks_something_says_what(folder):
    with pytest.raises(CheckpointError, match=r"Found: config\.json, preprocessor_config\.json\. Open the folder"):
        open_contents(folder, "mine")
    (folder / "epoch3.ckpt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"Found: epoch3\.ckpt\. Open one of these files itself"):
        open_contents(folder, "mine")
    first, _ = add_shards(folder, "safetensors")
    first.unlink()
    with pytest.raises(CheckpointError, match=rf"names files that are not in the folder: {first.name}"):
        open_contents(folder, "mine")
    safetensors.torch.save_file({"other": torch.ones(1)}, first)
    with pytest.raises(CheckpointError, match=rf"says that {first.name} has a\.weight, c, e; it has not"):
        open_contents(folder, "mine")


def test_shards_that_disagree_are_refused(folder):
    first, _ = add_shards(folder, "safetensors")
    whole = safetensors.torch.load_file(first)
    for name in ("b", "z"):  # of the other shard, of none
        safetensors.torch.save_file({**whole, name: torch.ones(3)}, first)
        with pytest.raises(CheckpointError, match=rf"has {name}, which model\.safetensors\.index\.json does not place"):
            open_contents(folder, "mine")


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "a/b", "..", "", "C:x", "a\\b", 3, None])
def test_an_index_cannot_lead_out_of_its_folder(folder, name):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(CheckpointError, match="which is no file name"):
        open_contents(folder, "mine")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("config.json", '{"a": ', r"Expected config\.json to be JSON"),
        ("config.json", "[1]", r"Expected config\.json to be a JSON object; found a list"),
        ("config.json", " " * (2**24 + 1), r"config\.json has 16,777,217 bytes; 16,777,216 is the limit"),
        ("preprocessor_config.json", "\x00", r"Expected preprocessor_config\.json to be JSON"),
        ("model.safetensors", "", r"model\.safetensors is empty"),
        ("pytorch_model.bin", "<html>", "a web page"),
    ],
)
def test_damaged_files_in_a_folder_are_named(folder, file, text, message):
    if not file.startswith(("model", "pytorch")):
        safetensors.torch.save_file(TENSORS, folder / "model.safetensors")
    (folder / file).write_text(text)
    with pytest.raises(CheckpointError, match=message):
        open_contents(folder, "mine")


def test_a_folder_s_weights_are_a_flat_state_dict(folder):
    torch.save({"state": TENSORS}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"Expected pytorch_model\.bin to be a state dict"):
        open_contents(folder, "mine")


# Memory

MEASURE = """
import io, pathlib, sys, torch
from wavlm_explorer.checkpoints.opening import open_contents
path, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
field = "RssAnon:" if kind == "path" else "VmHWM:"  # what is no file's, now; all, at its highest
def memory():
    return int(pathlib.Path("/proc/self/status").read_text().partition(field)[2].split()[0]) / 1024
source = path if kind == "path" else io.BytesIO(path.read_bytes())
torch.ones(10).sum()
before = memory()
contents = open_contents(source, "x")
total = sum(tensor.sum().item() for tensor in contents.values.values())
print(memory() - before, total)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("kind", ["path", "upload"])
@pytest.mark.parametrize("format", ["safetensors", "archive", "legacy"])
def test_a_large_file_is_mapped_and_an_upload_copied_once(format, kind, tmp_path):
    path = tmp_path / "model.bin"
    state = {f"t{i}": torch.ones(10_000_000) for i in range(10)}  # 400 MB
    if format == "safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=format == "archive")
    command = [sys.executable, "-c", MEASURE, str(path), kind]
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)
    assert result.returncode == 0, result.stderr
    grown, total = map(float, result.stdout.split())
    path.unlink()
    assert total == 1e8
    assert grown < (20 if kind == "path" else 420), "MiB"
