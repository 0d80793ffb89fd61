"""Which images a command means: files, folders, globs, or any path GDAL opens."""

from __future__ import annotations

import glob
import itertools
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from terrasift.errors import InputError
from terrasift.files import read_text
from terrasift.raster import Bands, Raster, RasterInfo, Window, is_elsewhere

__all__ = [
    "MINIMUM_SIDE",
    "RASTER_SUFFIXES",
    "ImagePaths",
    "check_alike",
    "check_no_labels",
    "check_size",
    "describe_scenes",
    "find_masks",
    "find_scenes",
    "is_there",
]

RASTER_SUFFIXES = frozenset(
    {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".vrt", ".img", ".bil", ".bsq", ".bip", ".nc", ".hdf", ".h5"}
    | {".ecw", ".sid", ".gif", ".bmp", ".webp", ".asc", ".dat", ".mat"}
)
"""Names in a folder that are taken for rasters; a file named on its own is tried whatever its suffix."""

MINIMUM_SIDE = 16
"""Rows and columns below which an image is refused: there is nothing to learn or to see in it."""

_logger = logging.getLogger(__name__)


ImagePaths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""One path, or any number of them: see `find_scenes`."""


def find_scenes(inputs: ImagePaths) -> list[str]:
    """Paths of all images meant, in a stable order, each once.

    Parameters
    ----------
    inputs
        Files, folders (their own files, not those of folders inside), glob patterns (``**`` reaches down), lists
        (``.txt``: one of these on a line, relative to the list's folder; ``#`` begins a comment), or paths that GDAL
        opens elsewhere: ``/vsicurl/https://...``, ``/vsis3/...``, ``https://...``.

    Raises
    ------
    InputError
        If one of them holds no image, or if there is none at all.
    """
    found: dict[str, None] = {}
    for item in [inputs] if isinstance(inputs, str | os.PathLike) else inputs:
        if not isinstance(item, str | os.PathLike):
            kind, mend = type(item).__name__, "name files"
            raise InputError("images", f"one is of type {kind}, not a path", mend)
        found |= dict.fromkeys(_expand(os.fspath(item)))
    if not found:
        raise InputError("images", "none given", "name files, folders or a pattern such as 'images/*.tif'")
    return list(found)


def describe_scenes(paths: Sequence[str], resolution: float | None = None) -> list[RasterInfo]:
    """What each image is, at a resolution as for `Raster`; InputError at the first that cannot be used."""
    described = []
    for path in paths:
        with Raster(path, resolution=resolution) as raster:
            info = raster.info
        check_size(info)
        described.append(info)
    return described


def check_size(info: RasterInfo) -> None:
    """Check that an image is not too small; InputError if it is."""
    if min(info.height, info.width) < MINIMUM_SIDE:
        at = "" if info.resolution is None else f" at {info.resolution:g} m"
        size = f"{info.width} x {info.height} pixels{at}"
        raise InputError(info.path, f"has only {size}", f"use images of at least {MINIMUM_SIDE} x {MINIMUM_SIDE}")


def check_alike(infos: Sequence[RasterInfo], bands: Bands | None) -> None:
    """Check that images can train one network: the same dtype, and the bands asked for.

    Raises
    ------
    InputError
        If they differ; the line names the two.
    """
    first = infos[0]
    for info in infos:
        if info.dtype != first.dtype:
            raise InputError(
                info.path,
                f"holds {info.dtype}, but {first.path} holds {first.dtype}",
                "train on images of one type, or convert them first",
            )
        if bands is None and info.bands != first.bands:
            raise InputError(
                info.path,
                f"has {info.bands} bands, but {first.path} has {first.bands}",
                "choose the common ones: `bands=[1,2,3]`",
            )
        info.band_numbers(bands)


def check_no_labels(infos: Sequence[RasterInfo]) -> None:
    """Check that what is to be trained on are images, and no masks among them.

    Suspected is what has a palette, lies in a folder called ``masks`` or the like, or has the name of an image in
    another folder; it is taken for a mask if the middle of it holds few colours.

    Raises
    ------
    InputError
        At the first mask.
    """
    folders: dict[str, set[Path]] = {}
    for info in infos:
        folders.setdefault(Path(info.path).stem, set()).add(Path(info.path).parent)
    for info in infos:
        path = Path(info.path)
        if info.dtype != "uint8" or info.bands > 3:
            continue
        with Raster(info.path) as raster:
            if raster.has_palette or path.parent.name.lower() in _MASK_FOLDERS or len(folders[path.stem]) > 1:
                colors = _colors_of_middle(raster)
                if colors <= _FEW_COLORS:
                    what = f"holds only {colors} colours: it is a mask, or a map of classes"
                    raise InputError(info.path, what, "leave it out: name the images alone, as 'data/**/images/*.tif'")


_FEW_COLORS = 32


def _colors_of_middle(raster: Raster) -> int:
    height, width = min(raster.info.height, 512), min(raster.info.width, 512)
    top, left = (raster.info.height - height) // 2, (raster.info.width - width) // 2
    values, _ = raster.read(Window(top, left, height, width))
    return len(np.unique(values.reshape(-1, values.shape[2]), axis=0))


def find_masks(
    scenes: Sequence[str],
    folders: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    kind: str = "mask",
) -> list[Path]:
    """The mask of each image: the raster in the folder with the image's name, whatever the suffix.

    Parameters
    ----------
    scenes
        Paths of the images.
    folders
        One or several; where several have a mask of the name, the one beside the image's own folder counts. None:
        the folder ``masks`` beside each image's folder.
    kind
        What the errors call it.

    Raises
    ------
    InputError
        If an image has no mask, more than one, or one that another image has too.
    """
    if folders is None:
        folders = list(dict.fromkeys(Path(scene).absolute().parent.with_name("masks") for scene in scenes))
    several = [Path(folders)] if isinstance(folders, str | os.PathLike) else list(map(Path, folders))
    by_stem: dict[str, list[Path]] = {}
    for folder in several:
        if not folder.is_dir():
            raise InputError(folder, "is not a folder", f"name the folder of the {kind}s")
        for path in _rasters_in(folder):
            by_stem.setdefault(path.stem, []).append(path)
    where = ", ".join(map(str, several))
    masks: list[Path] = []
    for scene in scenes:
        candidates = by_stem.get(Path(scene).stem, [])
        around = Path(scene).absolute().parent.parent
        candidates = [path for path in candidates if path.absolute().parent.parent == around] or candidates
        if not candidates:
            raise InputError(scene, f"has no {kind} in {where}", f"put one there named {Path(scene).stem}.png or .tif")
        if len(candidates) > 1:
            names = ", ".join(path.name for path in candidates)
            raise InputError(scene, f"has {len(candidates)} {kind}s in {where}: {names}", "keep one")
        if candidates[0] in masks:
            other = scenes[masks.index(candidates[0])]
            raise InputError(
                scene, f"has the same {kind} as {other}: {candidates[0]}", "give the images different names"
            )
        masks.append(candidates[0])
    return masks


def is_there(path: str) -> bool:
    """Whether an image that was listed is still there; of one elsewhere only opening it can tell, so it may be."""
    return is_elsewhere(path) or Path(path).exists()


def _expand(item: str) -> list[str]:
    if is_elsewhere(item):
        return [item]
    if "\0" in item:
        raise InputError(repr(item), "is no path", "write one path on a line, as text")
    path = Path(item)
    if path.suffix.lower() == ".txt" and path.is_file():
        return _listed(path)
    if path.is_dir():
        rasters = [str(entry) for entry in _rasters_in(path)]
        if not rasters:
            raise InputError(item, "is a folder without images", _inside(path))
        return rasters
    if path.exists():
        return [str(path)]
    if not glob.has_magic(item):
        return [item]
    matches = sorted(match for match in glob.glob(item, recursive=True) if Path(match).is_file())  # noqa: PTH207
    rasters = [match for match in matches if Path(match).suffix.lower() in RASTER_SUFFIXES]
    if not rasters:
        raise InputError(item, "matches no image", "check the pattern")
    return rasters


def _inside(folder: Path) -> str:
    """The pattern that finds the images of the folders inside."""
    inside = (entry for entry in folder.rglob("*") if entry.suffix.lower() in RASTER_SUFFIXES and entry.is_file())
    some = list(itertools.islice(inside, 1000))
    images = [path for path in some if path.parent.name.lower() not in _MASK_FOLDERS]
    if not images:
        return "name a folder that holds rasters"
    named = "images/" if any(path.parent.name == "images" for path in images) else ""
    suffix = next(path.suffix for path in images if not named or path.parent.name == "images")
    return f"for those of folders inside, write '{folder}/**/{named}*{suffix}'"


_MASK_FOLDERS = frozenset({"masks", "mask", "labels", "label", "annotations", "gt", "truth"})


def _listed(path: Path) -> list[str]:
    lines = read_text(path, mend="write one path on a line, in UTF-8").splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        item = line.split(" #")[0].strip()
        if not item or item.startswith("#"):
            continue
        elsewhere = is_elsewhere(item)
        if item.lower().endswith(".txt") and not elsewhere:
            raise InputError(f"{path}:{number}", "names a list in a list", "name images")
        try:
            found += _expand(item if elsewhere else str(path.parent / item))
        except InputError as error:
            raise InputError(f"{path}:{number}", str(error)) from error
    if not found:
        raise InputError(path, "is a list without images", "write one path on a line")
    return found


def _rasters_in(folder: Path) -> list[Path]:
    files = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    rasters = [entry for entry in files if entry.suffix.lower() in RASTER_SUFFIXES]
    left_out = [entry.name for entry in files if entry not in rasters and entry.suffix.lower() not in _SIDECARS]
    if left_out and rasters:
        _logger.warning("%s: left out %d files that are not images: %s", folder, len(left_out), ", ".join(left_out[:5]))
    return rasters


_SIDECARS = frozenset(
    {".xml", ".hdr", ".ovr", ".msk", ".tfw", ".pgw", ".jgw", ".prj", ".wld", ".qml"}
    | {".txt", ".md", ".yaml", ".json", ".csv"}
)
