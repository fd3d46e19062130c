"""What a file is, by its first bytes."""

from typing import Literal

from .archives import LEGACY_MAGIC
from .errors import CheckpointError

Kind = Literal["torch archive", "legacy torch file", "safetensors"]
TRACE_ENTRY = "WavLM Explorer trace"  # in the metadata of a saved trace, which is a safetensors file too

# first bytes -> what it is and what to do
STRANGERS = {
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself. Run git lfs pull, or download the file",
    b"\x1f\x8b": "packed with gzip. Unpack it first",
    b"BZh": "packed with bzip2. Unpack it first",
    b"\xfd7zXZ": "packed with xz. Unpack it first",
    b"\x28\xb5\x2f\xfd": "packed with zstandard. Unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive. Unpack it first",
    b"Rar!": "a RAR archive. Unpack it first",
    b"\x89HDF": "an HDF5 file (Keras, TensorFlow). Convert it with transformers: WavLMModel.from_pretrained(...)",
    b"GGUF": "a GGUF file, a language model's format. Open the checkpoint that it was made from",
    b"\x93NUMPY": "an array of numpy. Save a state dict with torch.save, or as safetensors",
    b"RIFF": "a sound file. Open it as audio, not as a model",
    b"fLaC": "a sound file. Open it as audio, not as a model",
    b"OggS": "a sound file. Open it as audio, not as a model",
    b"ID3": "a sound file. Open it as audio, not as a model",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
}
EXPECTED = "Expected a file of torch.save (.pt, .bin, .ckpt) or a .safetensors file"


def recognise(memory: memoryview) -> Kind:
    """Tell what kind of file this is.

    Raises: CheckpointError for other files, naming what they are where that can be told.
    """
    start = bytes(memory[:512])
    if start.startswith(b"PK\3\4"):
        return "torch archive"
    if start[:1] == b"\x80" and LEGACY_MAGIC in start[:32]:
        return "legacy torch file"
    for magic, what in STRANGERS.items():
        if start.startswith(magic):
            raise CheckpointError(f"{EXPECTED}; this is {what}.")
    if not any(start):
        raise CheckpointError(f"{EXPECTED}; this begins with nothing but zeros: it was never filled. Fetch it again.")
    if start[4:8] == b"TFL3":
        raise CheckpointError(f"{EXPECTED}; this is a TFLite program. Open the checkpoint that it was made from.")
    if start[257:262] == b"ustar":
        raise CheckpointError(f"{EXPECTED}; this is a tar archive. Unpack it first.")
    if start[:1] == b"\x08" and any(word in start[:100] for word in (b"onnx", b"pytorch")):
        raise CheckpointError(f"{EXPECTED}; this is an ONNX program. Open the checkpoint that it was made from.")
    if start[8:9] == b"{":
        return "safetensors"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise CheckpointError(f"{EXPECTED}; this is a web page, perhaps an error message. Download the file itself.")
    if text.startswith((b"{", b"[")):
        raise CheckpointError(f"{EXPECTED}; this is JSON. A config is read beside its weights: open their folder.")
    if start.startswith(b"\x80"):
        raise CheckpointError(
            f"{EXPECTED}; this is a pickle that torch.save did not write: it cannot be "
            "read as a PyTorch checkpoint. Save it again with torch.save."
        )
    raise CheckpointError(
        f"{EXPECTED}; this is another kind of file, or a damaged one: it cannot be read as a PyTorch checkpoint. It "
        f"starts with {start[:12]!r}; if it was downloaded, compare its size and fetch it again."
    )
