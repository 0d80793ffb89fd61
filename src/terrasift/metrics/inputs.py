"""What every metric accepts: two label maps of one shape, and what to leave out of them."""

from __future__ import annotations

__all__ = ["Ignore", "LabelArray", "as_array", "label_map_pair", "paired_blocks", "valid_pixels"]

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import InputError

if TYPE_CHECKING:
    import torch

# Quoted, so that importing the metrics does not import torch.
LabelArray: TypeAlias = "NDArray[np.integer[Any]] | torch.Tensor"
Ignore: TypeAlias = "int | np.integer[Any] | NDArray[np.bool_] | torch.Tensor | None"

# Temporaries of a block stay in the processor's cache, and are small enough for their memory to be used again.
BLOCK_PIXELS = 2**15


def paired_blocks(
    predicted: LabelArray, truth: LabelArray, ignore: Ignore
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The labels of the pixels that count, both maps side by side, a one-dimensional block at a time.

    A pixel is left out where the mask is True, or where either map holds the ignored label. The next
    block may overwrite the one before it. Labels of uint64 above 2**63 - 1 wrap around to negative ones:
    they are names, and stay distinct.

    Raises
    ------
    InputError
        Where a dtype is wrong or shapes differ.
    """
    maps = label_map_pair(predicted, truth)
    masks = _masks(ignore, maps[0].shape)
    ignored = [label if label is None else label.astype(np.int64) for label in _ignored_labels(ignore, maps)]
    if maps[0].size == 0:
        return
    blocks = np.nditer(
        [*maps, *masks],
        flags=["external_loop", "buffered"],
        op_dtypes=[np.int64, np.int64, *(np.bool_ for _ in masks)],
        casting="same_kind",
        buffersize=BLOCK_PIXELS,
    )
    for predicted_block, truth_block, *mask_block in blocks:
        pair = predicted_block, truth_block
        left_out = [block == label for block, label in zip(pair, ignored, strict=True) if label is not None]
        left_out += mask_block
        if any(out.any() for out in left_out):
            kept = ~np.logical_or.reduce(left_out)
            pair = predicted_block[kept], truth_block[kept]
        yield pair


def valid_pixels(maps: tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]], ignore: Ignore) -> NDArray[np.bool_]:
    """Where neither map is ignored, as booleans of the maps' shape."""
    shape = maps[0].shape
    labels = _ignored_labels(ignore, maps)
    left_out = _masks(ignore, shape)
    left_out += [array == label for array, label in zip(maps, labels, strict=True) if label is not None]
    valid = np.ones(shape, np.bool_)
    for out in left_out:
        valid &= ~out
    return valid


def label_map_pair(
    predicted: LabelArray, truth: LabelArray
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Both maps as NumPy arrays of any integer dtype, of one shape.

    Raises
    ------
    InputError
        Where one is neither an array nor a tensor, does not hold integers, or shapes differ.
    """
    maps = as_array("predicted", predicted), as_array("truth", truth)
    for name, array in zip(("predicted", "truth"), maps, strict=True):
        if array.dtype.kind not in "iu":
            raise InputError(name, f"holds {array.dtype}", "labels are whole numbers, of an integer dtype")
    _check_shape("truth", maps[1], maps[0].shape)
    return maps


def as_array(name: str, values: object) -> NDArray[Any]:
    """An array as it is, a tensor on whatever device as an array; `name` is what an `InputError` calls it."""
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "detach"):
        return np.asarray(values.detach().cpu())
    raise InputError(name, f"is a {type(values).__name__}", "give a NumPy array or a tensor")


def _check_shape(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InputError(name, f"has shape {array.shape}, but predicted has {shape}", "give them alike")


def _masks(ignore: Ignore, shape: tuple[int, ...]) -> list[NDArray[np.bool_]]:
    """The mask, if that is what `ignore` is."""
    if ignore is None or isinstance(ignore, int | np.integer):
        return []
    mask = as_array("ignore", ignore)
    if mask.dtype.kind != "b":
        raise InputError("ignore", f"a mask of {mask.dtype}", "a mask holds booleans, True to leave out")
    _check_shape("ignore", mask, shape)
    return [mask]


def _ignored_labels(ignore: Ignore, maps: Sequence[NDArray[np.integer[Any]]]) -> list[np.integer[Any] | None]:
    """The label in the dtype of each map; None where the map cannot hold it, or `ignore` is no label."""
    if not isinstance(ignore, int | np.integer):
        return [None for _ in maps]
    limits = [np.iinfo(array.dtype) for array in maps]
    return [
        array.dtype.type(ignore) if limit.min <= ignore <= limit.max else None
        for array, limit in zip(maps, limits, strict=True)
    ]
