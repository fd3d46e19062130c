"""Devices that a model can run on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cudnn


def available_devices() -> list[str]:
    """Return the names of the devices that are there, the CPU first."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def resolve_device(device: str) -> torch.device:
    """Turn "auto" or a device's name into a device that is there.

    Raises: ValueError naming the devices that are there.
    """
    available = available_devices()
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if name in available))
    if device not in available:
        raise ValueError(f"device: expected auto or one of {', '.join(available)}; found {device!r}")
    return torch.device(device)


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Within it cuDNN's convolutions of float32 numbers are float32.

    By default it rounds what goes in to the 10 bits of TF32, and WavLM's hidden states move by a thousandth of their
    size: too much for who compares checkpoints, and no faster at these shapes.
    """
    conv = getattr(cudnn, "conv", None)  # PyTorch 2.9 and later
    flags, name, exact = (cudnn, "allow_tf32", False) if conv is None else (conv, "fp32_precision", "ieee")
    before = getattr(flags, name)
    setattr(flags, name, exact)
    try:
        yield
    finally:
        setattr(flags, name, before)
