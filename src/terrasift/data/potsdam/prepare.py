"""The tiles of ISPRS Potsdam to the prepared layout, in parallel; a killed preparation goes on where it was."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import joblib

from terrasift.data.potsdam.classes import POTSDAM
from terrasift.data.potsdam.cutting import cut_tile
from terrasift.data.potsdam.layout import IMAGES, LISTS, MASKS, write_lists
from terrasift.data.potsdam.tiles import BANDS, SPLIT, Tile, check_tiles, find_tiles
from terrasift.errors import InputError, SettingError
from terrasift.files import read_bytes, write_text
from terrasift.progress import track

__all__ = ["prepare_potsdam"]

_logger = logging.getLogger(__name__)


def prepare_potsdam(
    raw: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    seed: int = 0,
    partial: bool = False,
) -> Path:
    """Halve the tiles, cut each into 15 x 15 patches, and draw the test patches.

    The protocol of Ji et al., Invariant Information Clustering (ICCV 2019). Ids go from 0 through the tiles by row and
    column, and row by row through the patches of a tile; ``tiles.csv`` says which are where. The lists are written
    last: a folder that has them is finished.

    Parameters
    ----------
    raw
        The folder with ``4_Ortho_RGBIR`` (else ``2_Ortho_RGB``) and ``5_Labels_for_participants`` (else
        ``5_Labels_all``), as folders or as zips.
    out
        Gets ``imgs/N.mat`` (``img``: 200 x 200 x 4, uint8), ``gt/N.mat`` (``gt``: 200 x 200, int32) for labelled
        tiles, ``unlabelled_train.txt``, ``labelled_train.txt`` and ``labelled_test.txt`` (3150, 4545 and 855 ids),
        and ``potsdam.yaml``, the classes. What a run before this one has finished stays.
    seed
        Of the drawing of test patches; not below 0.
    partial
        Go on with the tiles that are there; the share of test patches stays.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InputError
        If tiles are missing, have another size, other bands or colours of no class, or if `out` was made from other
        tiles.
    SettingError
        If `seed` is negative.
    """
    if seed < 0:
        raise SettingError("seed", f"is {seed}", "use 0 or more")
    kind, tiles = find_tiles(raw, partial=partial)
    side = check_tiles(kind, tiles)
    out = Path(out)
    _claim(out, _table(tiles, side, BANDS[kind]))
    POTSDAM.save(out / "potsdam.yaml")
    _cut_all(tiles, out, side, BANDS[kind])
    labelled: list[int] = []
    unlabelled: list[int] = []
    for number, tile in enumerate(tiles):
        (labelled if tile.label else unlabelled).extend(_ids(number))
    write_lists(out, labelled, unlabelled, seed)
    return out


def _ids(number: int) -> range:
    """The ids of a tile's patches, by the tile's place in the order of all."""
    return range(number * SPLIT**2, (number + 1) * SPLIT**2)


def _table(tiles: Sequence[Tile], side: int, bands: int) -> str:
    rows = ["tile,first_id,last_id,labelled,side,bands"]
    for number, tile in enumerate(tiles):
        ids = _ids(number)
        rows.append(f"{tile.name},{ids[0]},{ids[-1]},{int(tile.label is not None)},{side},{bands}")
    return "\n".join(rows) + "\n"


def _claim(out: Path, table: str) -> None:
    """Make the folder, or make sure that what is there came from the same tiles: the ids depend on them."""
    path = out / "tiles.csv"
    taken = [name for name in (IMAGES, MASKS, *(f"{name}.txt" for name in LISTS)) if (out / name).exists()]
    if path.exists():
        if read_bytes(path, mend="name another folder, or remove this one") != table.encode():
            raise InputError(out, "was prepared from other tiles", "name another folder, or remove this one")
    elif taken:
        raise InputError(out, f"holds {taken[0]} from elsewhere", "name another folder")
    for folder in (IMAGES, MASKS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    write_text(path, table)


class _Cut(NamedTuple):
    tile: Tile
    off: int | None


def _cut_all(tiles: Sequence[Tile], out: Path, side: int, bands: int) -> None:
    processes = min(joblib.cpu_count(), len(tiles)) if len(tiles) * side**2 >= _WORTH_PROCESSES else 1
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator_unordered", batch_size=1)
    cut = parallel(joblib.delayed(_cut)(tile, _ids(number)[0], out, side, bands) for number, tile in enumerate(tiles))
    done = sorted(track(cut, len(tiles), "tiles"), key=lambda one: one.tile.position)
    there = sum(one.off is None for one in done)
    if there:
        _logger.info("%d of %d tiles were there already", there, len(tiles))
    off = ", ".join(f"{one.off} pixels of {one.tile.name}" for one in done if one.off)
    if off:
        _logger.info("labels in nearly a class's colour, taken for it: %s", off)


_WORTH_PROCESSES = 2 * 3000**2  # pixels; starting processes takes longer than cutting fewer


def _cut(tile: Tile, first: int, out: Path, side: int, bands: int) -> _Cut:
    return _Cut(tile, cut_tile(tile, first, out, side, bands))
