"""Rasters are read as they are stored, whatever GDAL opens; class maps appear whole, on their scene's grid."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import ColorInterp

from terrasift import InputError, LandClass, Legend
from terrasift.raster import ClassMapWriter, Raster, RasterInfo, Window, read_labels, write_image

ROTATED = (0.5, 0.1, 500_000.0, 0.1, -0.5, 4_000_000.0)
HEIGHT, WIDTH = 70, 90


def values(dtype: str, bands: int, seed: int = 0) -> NDArray[Any]:
    generator = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return generator.normal(size=(HEIGHT, WIDTH, bands)).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, (HEIGHT, WIDTH, bands), dtype=dtype, endpoint=True)


def write_tif(
    path: Path, array: NDArray[Any], alpha: int = 0, mask: NDArray[Any] | None = None, **profile: Any
) -> Path:
    """By rasterio itself, so that reading is not tested by our own writing."""
    height, width, bands = array.shape
    profile = {"transform": rasterio.Affine(*ROTATED)} | profile
    profile |= {"driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": array.dtype.name}
    # GDAL reads an alpha band back only where the photometric interpretation leaves room for it.
    kinds = [ColorInterp.alpha if number == alpha else ColorInterp.gray for number in range(1, bands + 1)]
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", photometric="minisblack", **profile) as out,
    ):
        out.colorinterp = kinds
        out.write(np.moveaxis(array, 2, 0))
        if mask is not None:
            out.write_mask(mask)
    return path


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 13])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_geotiff_of_every_type_is_read_as_it_is(tmp_path: Path, dtype: str, bands: int) -> None:
    array = values(dtype, bands)
    with Raster(write_tif(tmp_path / "a.tif", array)) as raster:
        found, valid = raster.read()
        info = raster.info
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.dtype(dtype)
    assert valid.all()
    assert valid.shape == (HEIGHT, WIDTH)
    assert (info.height, info.width, info.bands, info.dtype, info.driver) == (HEIGHT, WIDTH, bands, dtype, "GTiff")
    assert info.may_be_invalid == dtype.startswith("float")
    assert not info.alpha
    assert len(info.descriptions) == bands


@pytest.mark.parametrize(("name", "mode"), [("a.png", "L"), ("a.png", "RGB"), ("a.jpg", "L"), ("a.jpg", "RGB")])
def test_plain_images_are_read_as_another_library_reads_them(tmp_path: Path, name: str, mode: str) -> None:
    Image.fromarray(values("uint8", 3)).convert(mode).save(tmp_path / name, subsampling=0)
    expected = np.asarray(Image.open(tmp_path / name)).reshape(HEIGHT, WIDTH, -1)
    with Raster(tmp_path / name) as raster:
        found, valid = raster.read()
        assert (raster.info.crs, raster.info.transform) == ("", (1, 0, 0, 0, 1, 0))
    assert np.abs(found.astype(int) - expected).max() <= (2 if name == "a.jpg" else 0)  # two JPEG decoders
    assert valid.all()


def test_a_palette_counts_as_its_colours(tmp_path: Path) -> None:
    indices = values("uint8", 1)[:, :, 0] % 3
    image = Image.fromarray(indices)
    image.putpalette([255, 0, 0, 0, 255, 0, 10, 20, 30])
    image.save(tmp_path / "a.png", transparency=1)
    with Raster(tmp_path / "a.png") as raster:
        assert (raster.info.bands, raster.info.dtype, raster.has_palette) == (3, "uint8", True)
        assert len(raster.info.descriptions) == 3
        found, valid = raster.read()
        blue_red, _ = raster.read(bands=(3, 1))
        np.testing.assert_array_equal(raster.read_indices()[0], indices)
    np.testing.assert_array_equal(found, np.array([[255, 0, 0], [0, 255, 0], [10, 20, 30]], np.uint8)[indices])
    np.testing.assert_array_equal(blue_red, found[:, :, [2, 0]])
    np.testing.assert_array_equal(valid, indices != 1)  # the transparent entry


def test_bands_are_numbered_from_one(tmp_path: Path) -> None:
    array = values("uint16", 4)
    with Raster(write_tif(tmp_path / "a.tif", array)) as raster:
        np.testing.assert_array_equal(raster.read(bands=(4, 2))[0], array[:, :, [3, 1]])
        for wrong in (0, 5):
            with pytest.raises(InputError, match=rf"has no band {wrong}; its bands are 1 to 4"):
                raster.read(bands=(1, wrong))


@given(st.data())
def test_windows_are_slices_of_the_whole(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "windows.tif"
    array = values("int16", 2)
    if not path.exists():
        write_tif(path, array, nodata=int(array[5, 5, 0]), tiled=True, blockxsize=32, blockysize=16)
    row, column = data.draw(st.integers(0, HEIGHT - 1)), data.draw(st.integers(0, WIDTH - 1))
    height, width = data.draw(st.integers(1, HEIGHT - row)), data.draw(st.integers(1, WIDTH - column))
    with Raster(path) as raster:
        whole, whole_valid = raster.read()
        part, valid = raster.read(Window(row, column, height, width))
    np.testing.assert_array_equal(part, whole[row : row + height, column : column + width])
    np.testing.assert_array_equal(valid, whole_valid[row : row + height, column : column + width])


def test_integer_pixels_are_nodata_where_all_bands_are(tmp_path: Path) -> None:
    array = values("uint8", 3) | 1
    array[0, 0], array[1, 1, :2] = 0, 0
    with Raster(write_tif(tmp_path / "a.tif", array, nodata=0)) as raster:
        _, valid = raster.read()
        _, of_two = raster.read(bands=(1, 2))
        assert raster.info.may_be_invalid
        assert raster.info.nodata == 0
    assert np.argwhere(~valid).tolist() == [[0, 0]]
    assert np.argwhere(~of_two).tolist() == [[0, 0], [1, 1]]


def test_float_pixels_are_nodata_where_one_band_is(tmp_path: Path) -> None:
    array = values("float32", 3)
    array[0, 0], array[1, 1, 2], array[2, 2, 0], array[3, 3, 1] = -9999, -9999, np.nan, np.inf
    with Raster(write_tif(tmp_path / "a.tif", array, nodata=-9999)) as raster:
        _, valid = raster.read()
        _, of_one = raster.read(bands=(3,))
    assert np.argwhere(~valid).tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert np.argwhere(~of_one).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("nodata", [None, float("nan")])
def test_nan_is_nodata_whether_the_file_says_so_or_not(tmp_path: Path, nodata: float | None) -> None:
    array = values("float64", 1)
    array[4, 7] = np.nan
    with Raster(write_tif(tmp_path / "a.tif", array, nodata=nodata)) as raster:
        assert raster.info.may_be_invalid
        assert np.argwhere(~raster.read()[1]).tolist() == [[4, 7]]


@pytest.mark.parametrize("bands", [1, 3, 4, 5])  # GDAL itself heeds alpha beside one or three bands only
def test_an_alpha_band_is_validity(tmp_path: Path, bands: int) -> None:
    array = values("uint8", bands + 1)
    array[:, :, -1] = values("uint8", 1, seed=1)[:, :, 0] // 128
    with Raster(write_tif(tmp_path / "a.tif", array, alpha=bands + 1)) as raster:
        assert (raster.info.bands, raster.info.alpha, raster.info.may_be_invalid) == (bands, True, True)
        found, valid = raster.read()
        window, of_window = raster.read(Window(3, 4, 10, 20), bands=(1,))
        with pytest.raises(InputError, match=rf"marks band {bands + 1} as alpha.*gdal_edit"):
            raster.read(bands=(bands + 1,))
    np.testing.assert_array_equal(found, array[:, :, :-1])
    np.testing.assert_array_equal(valid, array[:, :, -1] > 0)
    np.testing.assert_array_equal(window, array[3:13, 4:24, :1])
    np.testing.assert_array_equal(of_window, array[3:13, 4:24, -1] > 0)


def test_alpha_of_a_png_is_validity(tmp_path: Path) -> None:
    array = values("uint8", 4)
    array[:, :, 3] //= 128
    Image.fromarray(array).save(tmp_path / "a.png")
    with Raster(tmp_path / "a.png") as raster:
        found, valid = raster.read()
    np.testing.assert_array_equal(found, array[:, :, :3])
    np.testing.assert_array_equal(valid, array[:, :, 3] > 0)


def test_an_internal_mask_is_validity(tmp_path: Path) -> None:
    array, mask = values("uint16", 3), values("uint8", 1)[:, :, 0] > 99
    with Raster(write_tif(tmp_path / "a.tif", array, mask=mask)) as raster:
        assert raster.info.may_be_invalid
        np.testing.assert_array_equal(raster.read()[1], mask)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tif"]


@pytest.mark.parametrize(
    ("alpha", "bands", "words"), [(1, 2, "alpha band that is not its last"), (1, 1, "alpha band and nothing else")]
)
def test_alpha_where_it_makes_no_sense_is_refused(tmp_path: Path, alpha: int, bands: int, words: str) -> None:
    path = tmp_path / "a.tif"
    vrt = [f'<VRTDataset rasterXSize="{WIDTH}" rasterYSize="{HEIGHT}">']  # a TIFF cannot say such a thing
    write_tif(path, values("uint8", bands))
    for number in range(1, bands + 1):
        interpretation = "Alpha" if number == alpha else "Gray"
        vrt.append(f'<VRTRasterBand dataType="Byte" band="{number}"><ColorInterp>{interpretation}</ColorInterp>')
        vrt.append(f"<SimpleSource><SourceFilename>{path}</SourceFilename><SourceBand>{number}</SourceBand>")
        vrt.append("</SimpleSource></VRTRasterBand>")
    path.with_suffix(".vrt").write_text("".join([*vrt, "</VRTDataset>"]))
    with pytest.raises(InputError, match=words):
        Raster(path.with_suffix(".vrt"))


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "a.tif", values("float32", 1).astype("complex64"))
    with pytest.raises(InputError, match="holds complex numbers"):
        Raster(path)


def test_the_grid_is_read_and_kept(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", values("uint8", 3), crs="EPSG:32633", transform=ROTATED)
    with Raster(tmp_path / "a.tif") as raster:
        assert raster.info.crs == "EPSG:32633"
        assert raster.info.transform == ROTATED


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_what_write_image_writes_is_read_back(tmp_path: Path, dtype: str, bands: int) -> None:
    array = values(dtype, bands)
    write_image(tmp_path / "deep" / "a.tif", array)
    with Raster(tmp_path / "deep" / "a.tif") as raster:
        found, valid = raster.read()
    np.testing.assert_array_equal(found, array)  # a fourth band too, which GDAL would call alpha
    assert valid.all()
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["a.tif"]


def test_what_is_no_raster_is_refused_in_one_line(tmp_path: Path, shared: Path) -> None:
    (tmp_path / "a.txt").write_text("words\n" * 100)
    (tmp_path / "empty.tif").touch()
    for name, words in (("a.txt", "not recognized"), ("empty.tif", "not recognized"), ("none.tif", "does not exist")):
        with pytest.raises(InputError, match=words) as error:
            Raster(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name}: ")
    with Raster(shared / "data" / "rasters" / "corrupt.tif") as raster, pytest.raises(InputError, match="is damaged"):
        raster.read()


def test_a_truncated_file_is_refused_when_the_missing_part_is_read(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "a.tif", values("uint16", 3))
    path.write_bytes(path.read_bytes()[:-5000])
    with Raster(path) as raster, pytest.raises(InputError, match=r"cannot be read: the file is damaged \(.+\)"):
        raster.read()


# Class maps

LEGEND = Legend((LandClass("road", "#808080", (0,)), LandClass("trees & <shrubs>", "#00FF00", (1, 2))))


def scene_of(tmp_path: Path, height: int = 300, width: int = 520, crs: str = "EPSG:32633") -> RasterInfo:
    grid: dict[str, Any] = {"crs": crs, "transform": ROTATED} if crs else {}
    write_image(tmp_path / "scene.tif", np.zeros((height, width), np.uint8), **grid)
    with Raster(tmp_path / "scene.tif") as raster:
        return raster.info


def write_map(path: Path, like: RasterInfo, legend: Legend, labels: NDArray[Any]) -> None:
    with ClassMapWriter(path, like, legend) as writer:
        for row in range(0, like.height, 128):
            part = labels[row : row + 128]
            writer.write(part, Window(row, 0, *part.shape))


def category_names(path: Path) -> list[str | None]:
    return [
        entry.text for entry in ElementTree.parse(f"{path}.aux.xml").findall("PAMRasterBand/CategoryNames/Category")
    ]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", ""])
def test_a_class_map_has_its_scenes_grid_and_all_a_gis_shows(tmp_path: Path, crs: str) -> None:
    like = scene_of(tmp_path, crs=crs)
    labels = np.random.default_rng(0).choice([0, 1, 255], (like.height, like.width))
    path = tmp_path / "new" / "map.tif"
    write_map(path, like, LEGEND, labels)
    with rasterio.open(path) as found, rasterio.open(like.path) as scene:
        assert (found.crs, found.transform, found.shape) == (scene.crs, scene.transform, scene.shape)
        assert (found.dtypes, found.nodata, found.compression.name) == (("uint8",), 255, "deflate")
        assert found.block_shapes == [(256, 256)]
        assert [found.colormap(1)[i] for i in range(2)] == [(128, 128, 128, 255), (0, 255, 0, 255)]
        assert found.tags()["CLASS_1"] == "trees & <shrubs>"
        np.testing.assert_array_equal(found.read(1), labels)
    assert category_names(path) == ["road", "trees & <shrubs>"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["map.tif", "map.tif.aux.xml"]


def test_a_class_map_can_be_a_png(tmp_path: Path) -> None:
    like = scene_of(tmp_path)
    labels = np.random.default_rng(0).choice([0, 1, 255], (like.height, like.width))
    path = tmp_path / "new" / "map.png"
    write_map(path, like, LEGEND, labels)
    image = Image.open(path)
    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image), labels)
    assert np.asarray(image.convert("RGB"))[labels == 1].tolist()[0] == [0, 255, 0]
    assert category_names(path) == ["road", "trees & <shrubs>"]
    with Raster(path) as raster:
        assert (raster.info.crs, raster.info.transform) == (like.crs, like.transform)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["map.png", "map.png.aux.xml"]


def test_a_class_map_of_more_than_255_classes_is_uint16(tmp_path: Path) -> None:
    like, legend = scene_of(tmp_path), Legend.of_clusters(300)
    labels = np.arange(like.height)[:, None].repeat(like.width, 1)
    labels[0] = legend.nodata
    write_map(tmp_path / "map.tif", like, legend, labels)
    with rasterio.open(tmp_path / "map.tif") as found:
        assert (found.dtypes, found.nodata) == (("uint16",), 65535)
        assert found.colormap(1)[299][:3] == tuple(legend.rgb[299].tolist())
        np.testing.assert_array_equal(found.read(1), labels)
    with pytest.raises(InputError, match=r"cannot hold 300 classes in colour; end the name in \.tif"):
        ClassMapWriter(tmp_path / "map.png", like, legend)


@pytest.mark.parametrize("name", ["map.tif", "map.png"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_fails_half_way_leaves_nothing_behind(tmp_path: Path, name: str, error: type[BaseException]) -> None:
    like = scene_of(tmp_path)
    older = np.ones((like.height, like.width), np.uint8)
    path = tmp_path / "new" / name
    write_map(path, like, LEGEND, older)
    before = {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}

    def fail_half_way() -> None:
        with ClassMapWriter(path, like, LEGEND) as writer:
            writer.write(np.zeros((9, 9), np.uint8), Window(0, 0, 9, 9))
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert {entry.name: entry.read_bytes() for entry in path.parent.iterdir()} == before


def test_a_new_map_does_not_inherit_what_lay_beside_the_old_one(tmp_path: Path) -> None:
    like, path = scene_of(tmp_path), tmp_path / "map.tif"
    labels = np.zeros((like.height, like.width), np.uint8)
    write_map(path, like, LEGEND, labels)
    Path(f"{path}.ovr").touch()
    write_map(path, like, Legend((LandClass("all", "#000001"),)), labels)
    assert category_names(path) == ["all"]
    assert not Path(f"{path}.ovr").exists()


@pytest.mark.parametrize("name", ["map.jpg", "map", "map.gif"])
def test_class_maps_are_tif_or_png(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"end the name in \.tif or \.png"):
        ClassMapWriter(tmp_path / name, scene_of(tmp_path), LEGEND)


def test_a_map_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written") as error:
        ClassMapWriter(tmp_path / "file" / "map.tif", scene_of(tmp_path), LEGEND)
    assert "\n" not in str(error.value)


# Masks


def test_masks_are_read_by_colour_or_by_index(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).choice([0, 1, 255], (40, 50)).astype(np.uint8)
    legend = Legend(LEGEND.classes, ignore=("#010203",))
    rgb = np.full((40, 50, 3), (1, 2, 3), np.uint8)
    rgb[labels < 2] = legend.rgb[labels[labels < 2]]
    write_image(tmp_path / "colours.png", rgb)
    write_image(tmp_path / "colours.tif", rgb)
    write_image(tmp_path / "indices.png", labels)
    write_image(tmp_path / "indices.tif", labels.astype(np.uint16))
    write_image(tmp_path / "floats.tif", np.where(labels == 255, np.nan, labels).astype(np.float32))
    write_tif(tmp_path / "nodata.tif", np.where(labels == 255, 9, labels)[:, :, None], nodata=9)
    write_map(tmp_path / "map.tif", scene_of(tmp_path, 40, 50), legend, labels)
    write_map(tmp_path / "map.png", scene_of(tmp_path, 40, 50), legend, labels)
    for name in ("colours.png", "colours.tif", "indices.png", "indices.tif", "floats.tif", "nodata.tif"):
        np.testing.assert_array_equal(read_labels(tmp_path / name, legend), labels, err_msg=name)
    for name in ("map.tif", "map.png"):  # our own maps, whose nodata has no colour of its own
        np.testing.assert_array_equal(read_labels(tmp_path / name, LEGEND), labels, err_msg=name)


def test_transparent_pixels_of_a_mask_count_nowhere_whatever_their_colour(tmp_path: Path) -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[5:] = (128, 128, 128, 255)
    Image.fromarray(rgba).save(tmp_path / "mask.png")
    labels = read_labels(tmp_path / "mask.png", LEGEND)
    assert (labels[:5] == 255).all()
    assert (labels[5:] == 0).all()


def test_indices_without_a_name_are_listed(tmp_path: Path) -> None:
    write_image(tmp_path / "mask.png", np.array([[0, 1, 2, 255, 7]], np.uint8))
    with pytest.raises(InputError, match=r"indices that the classes file does not name: 2, 7; use 0 to 1, and 255"):
        read_labels(tmp_path / "mask.png", LEGEND)
    write_image(tmp_path / "mask.tif", np.array([[0, 0.5]], np.float32))
    with pytest.raises(InputError, match="holds fractions"):
        read_labels(tmp_path / "mask.tif", LEGEND)
    write_image(tmp_path / "wide.tif", np.zeros((4, 4, 3), np.uint16))
    with pytest.raises(InputError, match="colour mask of uint16"):
        read_labels(tmp_path / "wide.tif", LEGEND)
    with pytest.raises(InputError, match="at most 255 apart"):
        read_labels(tmp_path / "mask.png", Legend.of_clusters(300))


def test_dubai_masks_decode_palettes_too(shared: Path) -> None:
    folder = shared / "data" / "dubai"
    legend = Legend.load(folder / "classes.yaml")
    modes = set()
    for path in sorted((folder / "masks").glob("*_part1.png")):
        image = Image.open(path)
        modes.add(image.mode)
        labels = read_labels(path, legend)
        assert labels.shape == image.size[::-1]
        painted = np.full((*labels.shape, 3), 0, np.uint8)
        painted[labels < 6] = legend.rgb[labels[labels < 6]]
        np.testing.assert_array_equal(painted, np.asarray(image.convert("RGB")))
    assert modes == {"P", "RGB"}
    without_water = Legend(tuple(entry for entry in legend.classes if entry.name != "water"), legend.ignore)
    with pytest.raises(InputError, match="#E2A929"):
        read_labels(folder / "masks" / "tile1_part1.png", without_water)
