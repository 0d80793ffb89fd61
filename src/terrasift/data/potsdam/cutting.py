"""One tile to its patches: halved, cut, and written as MATLAB files."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from terrasift.data.potsdam.classes import POTSDAM
from terrasift.data.potsdam.layout import IMAGES, MASKS
from terrasift.data.potsdam.tiles import SPLIT, Tile
from terrasift.errors import InputError
from terrasift.files import whole
from terrasift.legend import IGNORE
from terrasift.raster import Raster, Window

__all__ = ["classes_of", "cut_tile", "halve"]


def cut_tile(tile: Tile, first: int, out: Path, side: int, bands: int) -> int | None:
    """Write the patches of a tile, ids row by row from `first` on.

    Parameters
    ----------
    tile
        Checked by `check_tiles`.
    first
        Id of the upper left patch.
    out
        The prepared folder; its folders of images and labels are there.
    side, bands
        Of the tile.

    Returns
    -------
    int or None
        Pixels of the labels whose colour was slightly off, or None if all patches were there already.

    Raises
    ------
    InputError
        If the tile is damaged, or if its labels have colours of no class; nothing of the tile is written then.
    """
    patch = side // 2 // SPLIT
    if _is_there(tile, first, out, patch * patch * bands):
        return None
    labels, off = (None, 0) if tile.label is None else _read_classes(tile.label)
    numbers = itertools.count(first)
    with Raster(tile.image) as raster:
        for top in range(0, side // 2, patch):
            strip = halve(raster.read_stored(Window(2 * top, 0, 2 * patch, side)))
            for left in range(0, side // 2, patch):
                number = next(numbers)
                _write(out / IMAGES / f"{number}.mat", img=strip[:, left : left + patch])
                if labels is not None:
                    _write(out / MASKS / f"{number}.mat", gt=labels[top : top + patch, left : left + patch])
    return off


def halve(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image at half its size: the mean of each 2 x 2 pixels, halves rounded up.

    Bilinear interpolation at exactly half the size is this mean. GDAL's widens its kernel as it shrinks an image, and
    gives another; OpenCV's is what the authors of the layout used.

    Parameters
    ----------
    image
        (2H, 2W, bands), uint8.

    Returns
    -------
    ndarray
        (H, W, bands), uint8.
    """
    height, width = image.shape[:2]
    half = cv2.resize(np.ascontiguousarray(image), (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
    return np.asarray(half, np.uint8)


def classes_of(rgb: NDArray[np.uint8], where: object = "labels") -> tuple[NDArray[np.uint8], int]:
    """Class indices of labels in the colours of ISPRS, which two tiles have only nearly.

    ISPRS gave out the labels of tile 4_12 with lossy compression, in thousands of colours, and most cars of tile 6_7
    as (252, 255, 0). All the colours of the classes have channels of 0 and 255 alone, so a channel up to 87 is taken
    for 0 and one from 168 for 255. No channel of any tile is said to lie between.

    Parameters
    ----------
    rgb
        (H, W, 3), uint8.
    where
        What the labels are, for the error.

    Returns
    -------
    classes
        (H, W), uint8.
    off
        How many pixels have a colour that is only nearly a class's.

    Raises
    ------
    InputError
        If a colour is not even nearly a class's; the line counts the pixels and says where the first is.
    """
    codes = _CHANNEL_CODES[rgb]
    codes = 25 * codes[..., 0] + 5 * codes[..., 1] + codes[..., 2]
    classes = _CLASS_OF_CODE[codes]
    unknown = classes == IGNORE
    if unknown.any():
        row, column = np.argwhere(unknown)[0].tolist()
        colors = ["#{:02X}{:02X}{:02X}".format(*color) for color in np.unique(rgb[unknown], axis=0).tolist()]
        listed = ", ".join(colors[:_COLORS_AT_MOST]) + ", ..." * (len(colors) > _COLORS_AT_MOST)
        raise InputError(
            where,
            f"{np.count_nonzero(unknown)} pixels have colours of no class ({listed}), "
            f"the first at row {row}, column {column}",
            "use the labels of 5_Labels_for_participants as they are given out",
        )
    return classes, int(np.count_nonzero(_IS_OFF[codes]))


_COLORS_AT_MOST = 4
_NEARLY = 87
_VALUES = np.arange(256)
_CHANNEL_CODES = np.select(  # 0 and 1: exactly off and on; 2 and 3: nearly; 4: neither
    [_VALUES == 0, _VALUES == 255, _VALUES <= _NEARLY, _VALUES >= 255 - _NEARLY], [0, 1, 2, 3], 4
).astype(np.uint8)


def _code_tables() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """For each code of three channels, its class (`IGNORE`: none) and whether it is only nearly the class's colour."""
    classes, off = np.full(125, IGNORE, np.uint8), np.zeros(125, np.bool_)
    of_color = {tuple(color): index for index, color in enumerate((POTSDAM.rgb == 255).astype(int).tolist())}
    for code, channels in enumerate(itertools.product(range(5), repeat=3)):
        if 4 not in channels:
            classes[code] = of_color.get(tuple(channel % 2 for channel in channels), IGNORE)
            off[code] = max(channels) > 1
    return classes, off


_CLASS_OF_CODE, _IS_OFF = _code_tables()


def _read_classes(path: str) -> tuple[NDArray[np.int32], int]:
    """Classes at half the size, the upper left of each 2 x 2 pixels, and how many colours were off in all of them."""
    with Raster(path) as raster:
        classes, off = classes_of(raster.read(bands=(1, 2, 3))[0], path)
    return classes[::2, ::2].astype(np.int32), off


def _is_there(tile: Tile, first: int, out: Path, image_bytes: int) -> bool:
    """Whether all patches are there. They are renamed when they are whole; a disk that filled up can leave stubs."""
    for number in range(first, first + SPLIT**2):
        if _size(out / IMAGES / f"{number}.mat") <= image_bytes:
            return False
        if tile.label is not None and _size(out / MASKS / f"{number}.mat") <= _HEADER_BYTES:
            return False
    return True


_HEADER_BYTES = 128


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write(path: Path, **arrays: NDArray[Any]) -> None:
    """Images are stored as they are, to be read fast; labels compressed, to a hundredth of their size."""
    with whole(path) as partial:
        savemat(partial, arrays, do_compression="gt" in arrays)
