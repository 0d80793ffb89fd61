"""Which images a command means: files, folders, globs, or any path GDAL opens."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from terrasift.errors import InputError
from terrasift.raster import Bands, Raster, RasterInfo, is_elsewhere

__all__ = [
    "MINIMUM_SIDE",
    "RASTER_SUFFIXES",
    "check_alike",
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


def find_scenes(inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
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


def find_masks(scenes: Sequence[str], folder: str | os.PathLike[str], kind: str = "mask") -> list[Path]:
    """The mask of each image: the raster in `folder` with the image's name, whatever the suffix.

    `kind` is what the errors call it.

    Raises
    ------
    InputError
        If an image has no mask, more than one, or one that another image has too.
    """
    if not Path(folder).is_dir():
        raise InputError(folder, "is not a folder", f"name the folder of the {kind}s")
    by_stem: dict[str, list[Path]] = {}
    for path in _rasters_in(Path(folder)):
        by_stem.setdefault(path.stem, []).append(path)
    masks: list[Path] = []
    for scene in scenes:
        candidates = by_stem.get(Path(scene).stem, [])
        if not candidates:
            raise InputError(scene, f"has no {kind} in {folder}", f"put one there named {Path(scene).stem}.png or .tif")
        if len(candidates) > 1:
            names = ", ".join(path.name for path in candidates)
            raise InputError(scene, f"has {len(candidates)} {kind}s in {folder}: {names}", "keep one")
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
    path = Path(item)
    if path.suffix.lower() == ".txt" and path.is_file():
        return _listed(path)
    if path.is_dir():
        rasters = [str(entry) for entry in _rasters_in(path)]
        if not rasters:
            raise InputError(
                item, "is a folder without images", f"for those of folders inside, write '{path}/**/*.tif'"
            )
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


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "cannot be read as a list of images", "write one path on a line, in UTF-8") from error
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
    {
        ".xml",
        ".hdr",
        ".ovr",
        ".msk",
        ".tfw",
        ".pgw",
        ".jgw",
        ".prj",
        ".wld",
        ".qml",
        ".txt",
        ".md",
        ".yaml",
        ".json",
        ".csv",
    }
)
