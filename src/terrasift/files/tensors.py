"""Weights read within bounds: nothing is loaded that does not fit, and nothing that is no number."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from terrasift.errors import RunError, TerrasiftError
from terrasift.files.reading import Kind, check_file

__all__ = ["read_checkpoint", "read_tensors"]


def read_tensors(
    path: str | os.PathLike[str], like: Mapping[str, Tensor], kind: Kind = RunError, mend: str = ""
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, and the texts kept with them.

    Parameters
    ----------
    path
        The file.
    like
        By name: tensors of the same shapes and types.
    kind, mend
        Of the error.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if the file cannot be read, is damaged, holds other tensors, or one that is not finite.
    """
    check_file(path, kind, mend)
    try:
        with safe_open(path, "pt") as file:
            _check_names(path, set(file.keys()), set(like), kind, mend)
            for name, tensor in like.items():
                shape = tuple(file.get_slice(name).get_shape())
                if shape != tuple(tensor.shape):
                    raise kind(path, f"{name} is {_shape(shape)}, where {_shape(tuple(tensor.shape))} is needed", mend)
            found = {name: file.get_tensor(name) for name in like}
            texts = dict(file.metadata() or {})
    except TerrasiftError:
        raise
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise kind(path, f"is damaged ({error})", mend) from error
    for name, tensor in found.items():
        if tensor.dtype != like[name].dtype:
            raise kind(path, f"{name} is {tensor.dtype}, where {like[name].dtype} is needed", mend)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise kind(path, f"{name} holds values that are no numbers", mend)
    return found, texts


def read_checkpoint(path: str | os.PathLike[str], kind: Kind = RunError, mend: str = "") -> Any:
    """What `torch.save` wrote: tensors, and plain values; never code.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if the file cannot be read, is damaged, unpacks to more than its size, or holds more than
        that.
    """
    size = check_file(path, kind, mend)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > size:
            raise kind(path, f"says that it holds {unpacked:,} bytes", mend)
        return torch.load(path, map_location="cpu", weights_only=True)
    except TerrasiftError:
        raise
    except Exception as error:  # damaged files fail in many ways
        raise kind(path, f"is damaged ({str(error)[:_LONGEST]})", mend) from error


_LONGEST = 120  # PyTorch explains at length


def _check_names(path: object, found: set[str], needed: set[str], kind: Kind, mend: str) -> None:
    if missing := sorted(needed - found):
        raise kind(path, f"lacks {missing[0]}", mend)
    if foreign := sorted(found - needed):
        raise kind(path, f"holds {foreign[0]}, which nobody asked for", mend)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
