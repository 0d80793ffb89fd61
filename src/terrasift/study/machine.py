"""Which versions ran on which machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import torch

__all__ = ["describe_machine"]


def describe_machine(device: str) -> str:
    """Versions, device and system in one line.

    Parameters
    ----------
    device
        The recipe's `compute.device`.
    """
    cores = f"{os.cpu_count()} CPU cores"
    if device in ("auto", "cuda") and torch.cuda.is_available():
        cores = f"{torch.cuda.get_device_name()}, {cores}"
    elif device == "mps" or (device == "auto" and torch.backends.mps.is_available()):
        cores = f"Apple GPU, {cores}"
    return f"terrasift {version('terrasift')}, PyTorch {torch.__version__}; {cores}, {platform.platform()}"
