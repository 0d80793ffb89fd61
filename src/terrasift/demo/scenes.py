"""The generated images of the demo, with their ground truth."""

from __future__ import annotations

import os
from pathlib import Path

from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.legend import LandClass, Legend
from terrasift.raster import write_image

__all__ = ["write_scenes"]

_CRS = "EPSG:32633"
_GROUND_SAMPLING = 0.25  # metres


def write_scenes(out: str | os.PathLike[str], side: int = 1000) -> tuple[Path, Path]:
    """Write two generated aerial images of a small town, their masks, and the file that lists the classes.

    Parameters
    ----------
    out
        A folder. It gets ``images/first.tif`` and ``second.tif``, masks of the same names in ``masks/``, and
        ``classes.yaml``.
    side
        Rows and columns of each, of 0.25 m.

    Returns
    -------
    tuple of Path
        The two images.

    Examples
    --------
    >>> import tempfile
    >>> first, second = write_scenes(tempfile.mkdtemp(), side=64)
    >>> second.name
    'second.tif'
    """
    out = Path(out)
    Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES)).save(out / "classes.yaml")
    return _write_scene(out, "first.tif", side, 1), _write_scene(out, "second.tif", side, 2)


def _write_scene(out: Path, name: str, side: int, seed: int) -> Path:
    scene = synthetic_scene(side, side, seed=seed)
    west, north = 500_000.0 + 1_000.0 * seed, 5_000_000.0
    grid = (_GROUND_SAMPLING, 0.0, west, 0.0, -_GROUND_SAMPLING, north)
    write_image(out / "images" / name, scene.image, crs=_CRS, transform=grid)
    write_image(out / "masks" / name, scene.labels, crs=_CRS, transform=grid)
    return out / "images" / name
