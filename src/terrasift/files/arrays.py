"""Arrays read within bounds: nothing is unpacked that is not what was asked for, or that is no number."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from terrasift.errors import InputError, TerrasiftError
from terrasift.files.reading import Kind, check_file

__all__ = ["read_arrays", "read_npz", "read_texts"]

_MOST_BYTES = 2 << 30  # of all arrays, unpacked


def read_npz(
    path: str | os.PathLike[str], wanted: Mapping[str, tuple[str, int]], kind: Kind = InputError, mend: str = ""
) -> dict[str, NDArray[Any]]:
    """Arrays of an ``.npz`` file.

    Parameters
    ----------
    path
        The file.
    wanted
        By name: the letters of NumPy's kinds that the array may be of, and how many dimensions it has. ``O`` (objects,
        which are code) is never read.
    kind, mend
        Of the error.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if the file cannot be read, is damaged, lacks an array, holds another kind of it, or says
        of an array that it is larger than what is stored of it or than two gigabytes.
    """
    check_file(path, kind, mend)
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _array(archive, path, name, *wanted[name], kind, mend) for name in wanted}
    except TerrasiftError:
        raise
    except Exception as error:  # damaged files fail in many ways
        raise kind(path, f"is damaged ({error})", mend) from error


def _array(
    archive: zipfile.ZipFile, path: object, name: str, kinds: str, dimensions: int, kind: Kind, mend: str
) -> NDArray[Any]:
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise kind(path, f"lacks {name}", mend)
    stored = archive.getinfo(member).file_size
    with archive.open(member) as file:
        shape, dtype = _header(file)
        size = math.prod(shape) * dtype.itemsize
        if dtype.kind not in kinds.replace("O", "") or len(shape) != dimensions:
            raise kind(path, f"{name} is of another kind: {dtype.name}, {' x '.join(map(str, shape)) or 'one'}", mend)
        if size > min(stored, _MOST_BYTES):
            raise kind(path, f"{name} says that it has {size:,} bytes", mend)
    with archive.open(member) as file:
        array: NDArray[Any] = np.asarray(npy.read_array(file, allow_pickle=False))
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def read_arrays(
    path: str | os.PathLike[str], kind: Kind = InputError, mend: str = ""
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """All arrays of a safetensors file, which take no more than its size, and the texts kept with them.

    Raises
    ------
    TerrasiftError
        Of the kind asked for: if the file cannot be read, is damaged, or holds a number that is not finite.
    """
    check_file(path, kind, mend)
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            texts = dict(file.metadata() or {})
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise kind(path, f"is damaged ({error})", mend) from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise kind(path, f"{name} holds values that are no numbers", mend)
    return arrays, texts


def read_texts(path: str | os.PathLike[str], kind: Kind = InputError, mend: str = "") -> dict[str, str]:
    """The texts kept with the arrays of a safetensors file; errors as of `read_arrays`."""
    check_file(path, kind, mend)
    try:
        with safe_open(path, "numpy") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise kind(path, f"is damaged ({error})", mend) from error
