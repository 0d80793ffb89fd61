"""Sheets of one image, mapped each with what the others show beyond its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift.data.synthetic import synthetic_scene
from terrasift.errors import InputError
from terrasift.prediction import Predictor, Wanted, WithSurroundings
from terrasift.raster import Raster, RasterInfo, Window, with_surroundings, write_image
from tests.prediction.test_maps import recipe_of, settled_network

HEIGHT, WIDTH, ROW, COLUMN = 208, 232, 104, 120  # sheets meet at whole steps of the network's pooling


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four sheets of one image, and the image itself."""
    folder = tmp_path_factory.mktemp("sheets")
    image = synthetic_scene(HEIGHT, WIDTH, seed=2).image
    cuts = {
        "nw": np.s_[:ROW, :COLUMN],
        "ne": np.s_[:ROW, COLUMN:],
        "sw": np.s_[ROW:, :COLUMN],
        "se": np.s_[ROW:, COLUMN:],
    }
    for name, cut in {"whole": np.s_[:, :], **cuts}.items():
        row, column = (part.start or 0 for part in cut)
        transform = (0.5, 0.0, 500_000.0 + 0.5 * column, 0.0, -0.5, 5_000_000.0 - 0.5 * row)
        write_image(folder / f"{name}.tif", image[cut], crs="EPSG:32633", transform=transform)
    return {name: folder / f"{name}.tif" for name in ("whole", *cuts)}


def infos(sheets: dict[str, Path], *names: str) -> list[RasterInfo]:
    found = []
    for name in names:
        with Raster(sheets[name]) as raster:
            found.append(raster.info)
    return found


def mapped(
    predictor: Predictor, path: Path, others: list[RasterInfo], done: tuple[Window, ...] = ()
) -> NDArray[np.int64]:
    """The clusters of a sheet, -1 where no window came."""
    with Raster(path) as raster:
        surrounded = with_surroundings(raster, others, predictor.margin)
        segmenter = predictor if surrounded is None else WithSurroundings(predictor, surrounded)
        found = np.full((raster.info.height, raster.info.width), -1)
        for part in segmenter.segment(raster, Wanted(done=done)):
            assert (found[part.window.slices] == -1).all()
            found[part.window.slices] = part.clusters[0]
    return found


@pytest.mark.parametrize("window", [128, 1024])
def test_the_maps_of_sheets_are_the_map_of_the_image(sheets: dict[str, Path], window: int) -> None:
    with Raster(sheets["whole"]) as raster:
        network = settled_network("dictionary", raster.read()[0])
    predictor = Predictor(network, recipe_of(f"predict.window={window}"))
    whole = mapped(predictor, sheets["whole"], [])
    everything = infos(sheets, "nw", "ne", "sw", "se")
    parts = [mapped(predictor, sheets[name], everything) for name in ("nw", "ne", "sw", "se")]
    assert (np.block([parts[:2], parts[2:]]) == whole).mean() > 0.9999
    alone = mapped(predictor, sheets["nw"], [])
    assert (alone == whole[:ROW, :COLUMN]).mean() < 0.999, "alone it does not know what lies beyond"


def test_what_is_done_is_left_out(sheets: dict[str, Path]) -> None:
    with Raster(sheets["whole"]) as raster:
        predictor = Predictor(settled_network("dictionary", raster.read()[0]), recipe_of())
    done = Window(0, 0, ROW, COLUMN)
    assert (mapped(predictor, sheets["nw"], infos(sheets, "ne", "sw", "se"), (done,)) == -1).all()


@pytest.mark.parametrize(
    ("others", "inside"),
    [
        (["ne", "sw", "se"], Window(0, 0, ROW, COLUMN)),
        (["ne"], Window(0, 0, ROW, COLUMN)),
        (["se"], None),  # at the corner only
        (["nw"], None),  # itself
    ],
)
def test_only_sides_that_are_shown_whole_grow(
    sheets: dict[str, Path], others: list[str], inside: Window | None
) -> None:
    with Raster(sheets["nw"]) as raster:
        found = with_surroundings(raster, infos(sheets, *others), 16)
        assert (found and found.inside) == inside
        if found is None:
            return
        with Raster(found.path) as seen, Raster(sheets["whole"]) as whole:
            down, right = (16 if name in others else 0 for name in ("sw", "ne"))
            assert (seen.info.height, seen.info.width) == (ROW + down, COLUMN + right)
            here = Window(0, 0, ROW + down, COLUMN + right)
            np.testing.assert_array_equal(seen.read()[0], whole.read(here)[0])
            assert str(sheets["ne"]) in str(seen.state), "a neighbour that changes makes another map"


def test_a_sheets_own_nodata_stays_and_other_grids_do_not_count(sheets: dict[str, Path], tmp_path: Path) -> None:
    image = np.ones((40, 40, 1), np.float32)
    image[:, 30:] = np.nan
    for name, west, size in (("a", 0.0, 1.0), ("b", 40.0, 1.0), ("over", 20.0, 1.0), ("coarse", 40.0, 2.0)):
        values = image if name == "a" else np.ones_like(image)
        write_image(tmp_path / f"{name}.tif", values, crs="EPSG:32633", transform=(size, 0.0, west, 0.0, -size, 0.0))
    paths = {name: tmp_path / f"{name}.tif" for name in ("a", "b", "over", "coarse")}
    with Raster(paths["a"]) as raster:
        assert with_surroundings(raster, infos(paths, "coarse"), 8) is None
        found = with_surroundings(raster, infos(paths, "b", "over"), 8)
        assert found is not None
        with Raster(found.path) as seen:
            valid = seen.read()[1]
    assert not valid[:, 30:40].any()
    assert valid[:, 40:].all()


def test_a_neighbour_that_has_gone_is_said_by_the_sheets_name(sheets: dict[str, Path], tmp_path: Path) -> None:
    with Raster(sheets["whole"]) as raster:
        predictor = Predictor(settled_network("dictionary", raster.read()[0]), recipe_of())
    moved = tmp_path / "ne.tif"
    moved.write_bytes(sheets["ne"].read_bytes())
    others = infos({"ne": moved}, "ne")
    with Raster(sheets["nw"]) as raster:
        surrounded = with_surroundings(raster, others, 16)
        assert surrounded is not None
        moved.write_bytes(b"torn")
        with pytest.raises(InputError) as caught:
            list(WithSurroundings(predictor, surrounded).segment(raster))
    assert str(caught.value).startswith(f"{sheets['nw']}: with the scenes beside it")
