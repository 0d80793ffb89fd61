"""Rasters that claim more than they hold, or never end: refused at once, in bounded memory."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from terrasift import InputError
from terrasift.raster import ClassMap, Raster
from terrasift.raster.grid import Grid

VRT = '<VRTDataset rasterXSize="{side}" rasterYSize="{side}"><VRTRasterBand dataType="Byte" band="1"{rest}</VRTDataset>'
SOURCE = "><SimpleSource><SourceFilename>{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"


def tiff(path: Path, width: int, height: int, *, bands: int = 1, tile: int = 0, loop: bool = False) -> Path:
    """A TIFF's head, and 200 bytes."""
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: bands, 339: 1}
    entries |= {322: tile, 323: tile, 324: 8, 325: 100} if tile else {273: 8, 278: height, 279: 100}
    content = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, value in sorted(entries.items()):
        content += struct.pack("<HHII", tag, 4, 1, value)
    path.write_bytes(content + struct.pack("<I", 8 if loop else 0) + bytes(200))
    return path


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (
            {"width": 200_000, "height": 200_000},
            "says that it has 200,000 x 200,000 pixels in 1 bands, and is",
        ),
        ({"width": 200_000, "height": 200_000, "tile": 256}, "says that it has 200,000 x 200,000 pixels"),
        ({"width": 64, "height": 64, "bands": 10_000}, "has 10,000 bands"),
        (
            {"width": 64, "height": 64, "tile": 65_536},
            "stored in pieces of 4,294,967,296 bytes each",
        ),
        ({"width": 64, "height": 64, "loop": True}, "cannot be read: the file is damaged"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_claims_more_than_it_holds_is_refused(tmp_path: Path, size: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words), Raster(tiff(tmp_path / "claims.tif", **size)) as raster:
        raster.read()


def test_a_virtual_raster_that_is_damaged_in_a_letter_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.vrt"
    path.write_text(VRT.format(side=9, rest=' é"1"/>'))  # GDAL quotes half of the letter
    with pytest.raises(InputError, match=r"a\.vrt: is not a raster that can be opened \(Line \d+: "):
        Raster(path)
    assert capfd.readouterr().err == ""


def test_a_raster_whose_pixels_lie_on_one_line_has_no_place_for_labels(tmp_path: Path) -> None:
    grid = Grid(9, 9, "EPSG:32633", (0.0, 0.0, 5e5, 0.0, -1.0, 5e6))
    with pytest.raises(InputError, match="puts all pixels on one line"):
        grid.pixels(np.array([5e5]), np.array([5e6]))


def test_a_virtual_raster_of_files_that_are_not_there_may_claim_no_more(tmp_path: Path) -> None:
    (tmp_path / "huge.vrt").write_text(VRT.format(side=2**31 - 1, rest=SOURCE.format("none.tif")))
    with pytest.raises(InputError, match="says that it has 2,147,483,647 x 2,147,483,647 pixels"):
        Raster(tmp_path / "huge.vrt")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    raw = ' subClass="VRTRawRasterBand"><SourceFilename relativeToVRT="1">pipe.tif</SourceFilename></VRTRasterBand>'
    (tmp_path / "raw.vrt").write_text(VRT.format(side=64, rest=raw))
    (tmp_path / "source.vrt").write_text(VRT.format(side=64, rest=SOURCE.format(tmp_path / "pipe.tif")))
    for name in ("pipe.tif", "raw.vrt", "source.vrt"):
        for opened in (Raster, ClassMap):
            with pytest.raises(InputError, match=r"pipe\.tif: is a pipe or a device"):
                opened(tmp_path / name)
    with pytest.raises(InputError, match="/dev/zero: is a pipe or a device"):
        Raster("/dev/zero")
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(InputError, match="is not a raster that can be opened"):
        Raster(tmp_path / "folder.tif")


def test_virtual_rasters_that_never_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "self.vrt"
    path.write_text(VRT.format(side=64, rest=SOURCE.format(path)))
    with pytest.raises(InputError, match="Recursion"), Raster(path) as raster:
        raster.read()
    path.write_text(VRT.format(side=2_000_000, rest="/>"))
    with pytest.raises(InputError, match="says that it has 2,000,000 x 2,000,000 pixels"):
        Raster(path)
