"""The tiles as ISPRS gives them out: where they are, in folders or zips, and whether they are what they should be."""

from __future__ import annotations

import logging
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from terrasift.errors import InputError
from terrasift.raster import Raster

__all__ = ["BANDS", "LABELLED", "SPLIT", "TILES", "Tile", "check_tiles", "find_tiles"]

Position: TypeAlias = tuple[int, int]
"""Row and column of a tile in the mosaic: the two numbers of its name."""

TILES: frozenset[Position] = frozenset(
    (row, column)
    for row, columns in {
        2: range(10, 15),
        3: range(10, 15),
        4: range(10, 16),
        5: range(10, 16),
        6: range(7, 16),
        7: range(7, 14),
    }.items()
    for column in columns
)
"""All 38 tiles."""

LABELLED: frozenset[Position] = frozenset((row, column) for row, column in TILES if column <= 12)
"""The 24 tiles whose labels participants of the benchmark got. Those of the others came later and are left alone."""

BANDS = {"RGBIR": 4, "RGB": 3}
"""Kinds of images and their bands, the preferred one first."""

SPLIT = 15
"""Patches along a tile's side."""

_NAME = re.compile(r"top_potsdam_(\d+)_(\d+)_(RGBIR|RGB|label)\.tiff?", re.IGNORECASE)
_NAMED_AT_MOST = 6

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tile:
    """One tile: its place in the mosaic and the paths of its image and, if it counts as labelled, of its labels."""

    position: Position
    image: str
    label: str | None

    @property
    def name(self) -> str:
        """As in the names of the files, say ``2_10``."""
        return _name(self.position)


def find_tiles(raw: str | os.PathLike[str], *, partial: bool = False) -> tuple[str, list[Tile]]:
    """The tiles in a folder, anywhere below it, or in zips there.

    Parameters
    ----------
    raw
        Holds the folders or zips ``4_Ortho_RGBIR`` (or ``2_Ortho_RGB``) and ``5_Labels_for_participants`` (or
        ``5_Labels_all``).
    partial
        Go on with what is there.

    Returns
    -------
    kind
        Of the images, a key of `BANDS`: the one that more tiles have.
    tiles
        By row and column.

    Raises
    ------
    InputError
        If there is none, if no tile is labelled, or if one is missing and `partial` is not set.
    """
    if not Path(raw).is_dir():
        raise InputError(raw, "is not a folder", "name the folder with 4_Ortho_RGBIR and 5_Labels_for_participants")
    found = _find(Path(raw))
    kind = max(BANDS, key=lambda kind: len(found[kind]))
    images, labels = found[kind], found["label"]
    if not images:
        raise InputError(
            raw,
            "holds no image named like top_potsdam_2_10_RGBIR.tif",
            "unpack Potsdam.zip there; the zips that come out of it can stay as they are",
        )
    _check_complete(raw, kind, images, labels, partial)
    if kind != "RGBIR":
        _logger.warning("%s: no infrared: patches get the 3 bands of 2_Ortho_RGB, for want of 4_Ortho_RGBIR", raw)
    return kind, [
        Tile(position, images[position], labels.get(position) if position in LABELLED else None)
        for position in sorted(images)
    ]


def check_tiles(kind: str, tiles: Sequence[Tile]) -> int:
    """Open every tile, and check its size, bands and type; the side of all of them, pixels.

    Raises
    ------
    InputError
        If a tile is not square, if its side cannot be halved and cut, or if it is not like the others.
    """
    expected = {tile.image: BANDS[kind] for tile in tiles} | {tile.label: 3 for tile in tiles if tile.label}
    sizes: dict[str, tuple[int, int]] = {}
    for path, bands in expected.items():
        with Raster(path) as raster:
            info = raster.info
        stored = info.bands + int(info.alpha)  # some programs take the infrared band for alpha
        if stored != bands or info.dtype != "uint8":
            raise InputError(path, f"has {stored} bands of {info.dtype}, not {bands} of uint8", "get it again")
        sizes[path] = (info.width, info.height)
    (width, height), _ = Counter(sizes.values()).most_common(1)[0]
    for path, size in sizes.items():
        if size != (width, height):
            raise InputError(
                path, f"has {size[0]} x {size[1]} pixels, the other tiles {width} x {height}", "get it again"
            )
    if width != height or width % (2 * SPLIT):
        raise InputError(
            tiles[0].image,
            f"has {width} x {height} pixels",
            f"tiles are square, of a side that {2 * SPLIT} divides: 6000 x 6000 as ISPRS gives them out",
        )
    return width


def _find(raw: Path) -> dict[str, dict[Position, str]]:
    """Paths by kind and position. Files go before zips, and labels for participants before all labels."""
    found: dict[str, dict[Position, str]] = {kind: {} for kind in (*BANDS, "label")}
    for name, path in sorted(_files(raw), key=lambda file: ("Labels_all" in file[1], file[1].startswith("/vsi"))):
        match = _NAME.fullmatch(name)
        if match:
            kind = match[3].upper() if match[3].upper() in BANDS else "label"
            position = (int(match[1]), int(match[2]))
            if position in TILES:
                found[kind].setdefault(position, path)
    return found


def _files(raw: Path) -> Iterator[tuple[str, str]]:
    """Names and paths of all files of a folder and of the zips in it, in the order of their paths."""
    for path in sorted(entry for entry in raw.rglob("*") if entry.is_file()):
        if path.suffix.lower() != ".zip":
            yield path.name, str(path)
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            _logger.warning("%s: left out, not a zip that can be read (%s)", path, error)
            continue
        for member in sorted(members):
            yield member.rpartition("/")[2], f"/vsizip/{path}/{member}"


def _check_complete(
    raw: object, kind: str, images: dict[Position, str], labels: dict[Position, str], partial: bool
) -> None:
    """Name what is missing, as an error or, where a partial set was asked for, in a line."""
    missing = []
    for what, wanted, there in ((f"{kind} images", TILES, images), ("label images", LABELLED, labels)):
        absent = sorted(wanted - there.keys())
        if absent:
            missing.append(f"{len(absent)} of {len(wanted)} {what} ({_listed(absent)})")
    if not missing:
        return
    if not partial:
        raise InputError(raw, f"lacks {' and '.join(missing)}", "add them, or go on without: `partial=True`")
    if not any(position in LABELLED for position in images.keys() & labels.keys()):
        raise InputError(raw, f"lacks {' and '.join(missing)}", "at least one tile must have labels")
    _logger.warning("%s: going on without %s", raw, " and ".join(missing))


def _listed(positions: Iterable[Position]) -> str:
    names = [_name(position) for position in positions]
    return ", ".join(names[:_NAMED_AT_MOST]) + ", ..." * (len(names) > _NAMED_AT_MOST)


def _name(position: Position) -> str:
    return f"{position[0]}_{position[1]}"
