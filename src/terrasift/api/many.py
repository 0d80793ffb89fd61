"""Many scenes, one of which may fail without stopping the others."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from terrasift.errors import InputError, SettingError, TerrasiftError
from terrasift.legend import Legend
from terrasift.prediction import names_apart
from terrasift.progress import progress_bar, quiet
from terrasift.raster import POLYGON_SUFFIXES, Raster, RasterInfo, is_elsewhere, write_mosaic, write_qgis_style
from terrasift.recipe import Recipe

__all__ = ["Predictions", "open_sheets", "polygon_paths", "predict_each", "try_mosaic"]

_logger = logging.getLogger(__name__)

_Predict = Callable[[str, Path], Path]


@dataclass(frozen=True)
class Predictions:
    """What became of many scenes.

    Attributes
    ----------
    maps
        Class maps that are whole, in the order of their scenes.
    failed
        Scenes that could not be mapped, and why, each in one line.
    mosaic
        A virtual raster of all maps; None for a single map, or where they do not lie on one grid.
    polygons
        Files of the maps' polygons, if they were asked for.
    """

    maps: list[Path]
    failed: dict[str, str]
    mosaic: Path | None = None
    polygons: Sequence[Path] = ()


def predict_each(
    predict: _Predict,
    targets: Mapping[str, Path],
    beside: int = 1,
    stop: Callable[[], object] = lambda: None,
) -> Predictions:
    """Map scenes one after the other, or several at a time; what fails is said at once, and again in the result.

    Parameters
    ----------
    predict
        Maps one scene: (scene, its map) to the map.
    targets
        Where the map of each scene goes. A single scene's failure is raised as it is.
    beside
        Scenes at a time, each in a thread that waits for a cluster.
    stop
        Makes these threads end soon, when the user interrupts.
    """
    if len(targets) == 1:
        return Predictions([predict(scene, target) for scene, target in targets.items()], {})
    maps, failed = [], {}
    results = _beside(predict, targets, beside, stop) if beside > 1 else _in_turn(predict, targets)
    with progress_bar("scenes", len(targets)) as advance:
        for scene, result in results:
            advance(Path(scene).name)
            if isinstance(result, Path):
                maps.append(result)
                continue
            known = isinstance(result, TerrasiftError)
            failed[scene] = str(result) if known else f"{scene}: {type(result).__name__}: {result}"
            _logger.warning("failed: %s", failed[scene])
    return Predictions(maps, failed)


def open_sheets(paths: Sequence[str], recipe: Recipe) -> list[RasterInfo]:
    """What each scene is that may lie beside others; nothing where none matters, or where there are too many."""
    sheets: list[RasterInfo] = []
    # where each window is seen alone, nothing beyond it counts
    if recipe.predict.context != "scene" or not 1 < len(paths) <= _MOST_SHEETS:
        return sheets
    for path in paths:
        if not is_elsewhere(path):
            with contextlib.suppress(InputError), Raster(path) as raster:  # what is wrong is said when it is mapped
                sheets.append(raster.info)
    return sheets


_MOST_SHEETS = 2000


def polygon_paths(targets: Mapping[str, Path], vector: str | os.PathLike[str] | None) -> dict[str, Path]:
    """Where the polygons of each scene go: a file for a single scene, a folder of GeoPackages for many.

    Parameters
    ----------
    targets
        Where the map of each scene goes.
    vector
        What `Run.predict_all` was asked for; None: nowhere.

    Raises
    ------
    SettingError
        If many scenes would go to one file.
    """
    if vector is None:
        return {}
    path = Path(vector)
    if path.suffix.lower() not in POLYGON_SUFFIXES and (path.is_dir() or not path.suffix):
        names = names_apart(list(targets.values()))
        return {scene: path / name.with_name(f"{name.name}.gpkg") for scene, name in zip(targets, names, strict=True)}
    if len(targets) > 1:
        raise SettingError("vector", f"is one file for {len(targets)} scenes", "name a folder")
    return dict.fromkeys(targets, path)


def try_mosaic(maps: list[Path], folder: Path, legend: Legend) -> Path | None:
    """Write ``mosaic.vrt`` over maps beside it; where they do not lie on one grid, say so and write none."""
    try:
        mosaic = write_mosaic(maps, folder / "mosaic.vrt", legend)
        write_qgis_style(mosaic, legend)
        return mosaic
    except (InputError, OSError) as error:
        _logger.warning("no mosaic was written: %s", error)
        return None


def _in_turn(predict: _Predict, targets: Mapping[str, Path]) -> Iterator[tuple[str, Path | Exception]]:
    for scene, target in targets.items():
        yield scene, _tried(predict, scene, target)


def _beside(
    predict: _Predict, targets: Mapping[str, Path], most: int, stop: Callable[[], object]
) -> Iterator[tuple[str, Path | Exception]]:
    threads = ThreadPoolExecutor(most, "scene")
    futures: dict[str, Future[Path | Exception]] = {
        scene: threads.submit(_quietly_tried, predict, scene, target) for scene, target in targets.items()
    }
    try:
        for scene, future in futures.items():
            yield scene, future.result()
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        stop()
        raise
    finally:
        threads.shutdown(cancel_futures=True)


def _quietly_tried(predict: _Predict, scene: str, target: Path) -> Path | Exception:
    with quiet():  # of eight scenes at a time nobody wants to see more than how many are done
        return _tried(predict, scene, target)


def _tried(predict: _Predict, scene: str, target: Path) -> Path | Exception:
    try:
        return predict(scene, target)
    except Exception as error:
        return error
