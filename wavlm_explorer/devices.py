"""Devices that a model can run on."""

import torch


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
