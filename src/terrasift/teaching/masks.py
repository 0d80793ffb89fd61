"""Sparse masks: images of the scenes in which a few pixels are labelled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrasift.data.scenes import RASTER_SUFFIXES
from terrasift.errors import InputError
from terrasift.legend import IGNORE, Legend
from terrasift.raster import Raster, RasterInfo, labels_of
from terrasift.teaching.placing import PaintedLabels, Placement

__all__ = ["find_sparse_masks", "place_masks"]


def find_sparse_masks(path: str | os.PathLike[str]) -> list[Path]:
    """The masks meant: a raster itself, or those of a folder; none where it is something else."""
    path = Path(path)
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix.lower() in RASTER_SUFFIXES)
    return [path] if path.suffix.lower() in RASTER_SUFFIXES else []


def place_masks(
    masks: Sequence[Path], infos: Sequence[RasterInfo], legend: Legend | None
) -> tuple[Placement, list[str]]:
    """Read sparse masks of scenes, each by its scene's name.

    Parameters
    ----------
    masks
        Without a legend: one band of whole numbers, each a class; 0, 255 and nodata are unlabelled. With one they may
        be painted in its colours too, black and colours under `ignore` being unlabelled; the classes are its own, a
        number n being its n-th.
    infos
        The scenes; those without a mask have no labels.
    legend
        Names and colours of the classes.

    Returns
    -------
    Placement
        Of the scenes that have a mask.
    list of str
        Names of the classes, in the order of their indices.

    Raises
    ------
    InputError
        If no mask is a scene's, if one has another size than its scene, or holds what is no class.
    """
    by_name = {path.stem: path for path in masks}
    pairs = {
        number: by_name[Path(info.path).stem] for number, info in enumerate(infos) if Path(info.path).stem in by_name
    }
    if not pairs:
        raise InputError(masks[0], "has the name of no scene", "give each mask the name of its scene")
    values = {number: _read(path, infos[number], legend) for number, path in pairs.items()}
    if legend is not None:
        names, numbers = legend.names, np.arange(len(legend.classes))
    else:
        present = np.unique(np.concatenate([np.unique(mask) for mask in values.values()]))
        numbers = present[present >= 0]
        names = [str(number + 1) for number in numbers.tolist()]
    placed = {}
    for number, mask in values.items():
        indices = np.where(mask >= 0, np.searchsorted(numbers, np.maximum(mask, 0)), -1)
        placed[number] = PaintedLabels(indices, (infos[number].height, infos[number].width))
    return Placement(dict(placed)), names


def _read(path: Path, info: RasterInfo, legend: Legend | None) -> NDArray[np.int64]:
    """(H, W): classes from 0, -1 where nothing is labelled."""
    with Raster(path) as raster, Raster(info.path) as scene:
        have, wanted = ((entry.info.height, entry.info.width) for entry in (raster, scene))
        if have != wanted:
            what = f"has {have[1]} x {have[0]} pixels, but {info.path} has {wanted[1]} x {wanted[0]}"
            raise InputError(path, what, "make the mask on the scene's own grid")
        if legend is not None and (raster.has_palette or raster.info.bands >= 3):
            black = "#000000"
            known = {entry.color for entry in legend.classes} | set(legend.ignore)
            with_black = legend if black in known else Legend(legend.classes, (*legend.ignore, black))
            painted = labels_of(raster, with_black).astype(np.int64)
            return np.where(painted == IGNORE, -1, painted)
        values, valid = raster.read_indices()
        if raster.info.bands > 1 and not raster.has_palette:
            raise InputError(path, "is painted in colours", "name its classes and their colours: `classes`")
    if values.dtype.kind not in "iu":
        raise InputError(path, f"holds {values.dtype}, not class numbers", "save the mask as integers")
    labelled = valid & (values != 0) & (values != IGNORE)
    numbers = np.where(labelled, values.astype(np.int64), 0) - 1
    most = None if legend is None else len(legend.classes)
    if numbers.min() < -1 or (most is not None and numbers.max() >= most):
        wrong = numbers.min() + 1 if numbers.min() < -1 else numbers.max() + 1
        raise InputError(path, f"holds class number {wrong}", f"allowed are 1 to {most or IGNORE - 1}")
    return numbers
