"""Which versions ran on which machine, and the memory they took."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import sys
from importlib.metadata import version
from typing import Any

import torch

from terrasift.errors import SettingError

__all__ = ["describe_machine", "find_device", "keep_freed_memory", "machine_facts", "take_large_pages"]


def describe_machine(device: str) -> str:
    """Versions, device and system in one line.

    Parameters
    ----------
    device
        The recipe's `compute.device`.
    """
    return f"terrasift {version('terrasift')}, PyTorch {torch.__version__}; {_device(device)}, {platform.platform()}"


def machine_facts(device: str) -> dict[str, Any]:
    """The same in parts, ready for JSON, with what the process has needed until now.

    Parameters
    ----------
    device
        The recipe's `compute.device`.

    Returns
    -------
    dict
        ``terrasift``, ``python``, ``torch``, ``gdal`` (None without it), ``platform``, ``device`` (in words),
        ``peak_memory`` and ``peak_gpu_memory``: bytes, None where the system does not tell.
    """
    return {
        "terrasift": version("terrasift"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "gdal": _gdal_version(),
        "platform": platform.platform(),
        "device": _device(device),
        "peak_memory": _peak_memory(),
        "peak_gpu_memory": torch.cuda.max_memory_allocated() if _uses_cuda(device) else None,
    }


def find_device(name: str) -> torch.device:
    """The device that ``compute.device`` names; auto is the GPU where there is one. SettingError if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not torch.backends.mps.is_available()):
        raise SettingError("compute.device", f"{name} is not available on this machine", "use auto or cpu")
    return torch.device(name)


@functools.cache
def keep_freed_memory() -> None:
    """Have this process keep what arrays leave behind for the next ones, where the system's C library is glibc.

    It gives large blocks back at once, and takes them anew, page by page and zeroed, for the same array of the next
    step or patch: a tenth to a quarter of the time of both on a CPU.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        set_option = ctypes.CDLL(None).mallopt
        for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            set_option(option, 1 << 30)


_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # malloc.h


def take_large_pages() -> None:
    """Have PyTorch ask the system for large blocks in pages of 2 MB, unless the environment says otherwise.

    Half of the time of a prediction on a CPU went into taking every block of a window anew in pages of 4 kB. Keeping
    them, as in training, is as fast, but blocks of many sizes leave holes: a third more memory. PyTorch looks at the
    environment when it makes its first tensor in a process; only Linux knows of it.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def _device(device: str) -> str:
    cores = f"{os.cpu_count()} CPU cores"
    if _uses_cuda(device):
        return f"{torch.cuda.get_device_name()}, {cores}"
    if device == "mps" or (device == "auto" and torch.backends.mps.is_available()):
        return f"Apple GPU, {cores}"
    return cores


def _uses_cuda(device: str) -> bool:
    return device in ("auto", "cuda") and torch.cuda.is_available()


def _gdal_version() -> str | None:
    try:
        from terrasift.raster import gdal_version  # GPU machines often lack GDAL
    except ImportError:
        return None
    return gdal_version()


def _peak_memory() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in kilobytes
