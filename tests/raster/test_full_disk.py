"""Files whose last kilobytes find no room, of which GDAL says nothing: they are written whole or not at all."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from terrasift.errors import InputError
from terrasift.raster import write_image, write_layer


def write_raster(path: Path) -> None:
    write_image(path, np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8))


def write_points(path: Path) -> None:
    import shapely

    places = np.arange(20.0)
    write_layer(path, shapely.points(places, places), {"number": places}, "EPSG:4326", "Point")


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file becomes larger, as on a disk that has no more."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="cannot limit how large files may be")
@pytest.mark.parametrize(
    ("name", "write"), [("a.png", write_raster), ("a.tif", write_raster), ("a.geojson", write_points)]
)
def test_a_lost_end_is_said(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    size = (tmp_path / name).stat().st_size
    assert size < 4096, "all of it is kept back until the file is closed"
    (tmp_path / name).unlink()
    for less in (1, size // 2, size - 1):
        with room_for(size - less), pytest.raises(InputError, match=r"cannot be written \("):
            write(tmp_path / name)
        assert list(tmp_path.iterdir()) == []
