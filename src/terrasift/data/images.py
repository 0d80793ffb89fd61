"""Images of every kind that Python knows, as the files that everything else reads."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from terrasift.data.scenes import find_scenes
from terrasift.data.stac import Item, is_item, is_item_file, items_in, items_of
from terrasift.errors import InputError
from terrasift.progress import track
from terrasift.raster import Bands, ImageArray, image_of, is_labelled, write_image, write_stack

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

__all__ = ["Image", "ImageFiles", "Images", "as_files"]


class StacItem(Protocol):
    """An item or a collection of items of pystac."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""


Image: TypeAlias = "str | os.PathLike[str] | NDArray[Any] | DataArray | Dataset | StacItem | Mapping[str, Any]"
Images: TypeAlias = "Image | Iterable[Image]"
"""One image or any number: paths as for `find_scenes`, files of STAC items, arrays (H, W) or (H, W, bands), DataArrays,
Datasets, STAC items and collections of them."""


class ImageFiles:
    """Images as files: paths as they are, arrays as GeoTIFFs to be written, STAC items as virtual rasters.

    Parameters
    ----------
    images
        Of any kinds.
    folder
        Where files are written; made when the first one is.
    bands
        Of Datasets, the variables that count; of items, the assets.

    Attributes
    ----------
    paths
        Of all images, in their order; those of arrays and items are there after `write`.

    Raises
    ------
    InputError
        If an image cannot be used, or if there is none.
    """

    def __init__(self, images: Images, folder: str | os.PathLike[str], bands: Bands | None = None) -> None:
        self.paths: list[str] = []
        self._folder = Path(folder).absolute()
        self._bands = bands
        self._writes: dict[Path, Callable[[], object]] = {}
        every = list(_each(images))
        for number, image in enumerate(every, 1):
            if isinstance(image, str | os.PathLike):
                if not is_item_file(image):
                    self.paths += find_scenes(image)
                    continue
                items = items_in(image)
            elif is_item(image) and not is_labelled(image):
                items = items_of(image)
            else:
                array = _array(image, f"image {number}" if len(every) > 1 else "image", bands)
                path = self._planned(f"image_{number:0{len(str(len(every)))}}.tif")
                self._writes[path] = functools.partial(write_image, path, array)
                continue
            for item in items:
                self._add_item(item)
        if not self.paths:
            find_scenes([])
        self.paths = list(dict.fromkeys(self.paths))

    def _add_item(self, item: Item) -> None:
        planes = item.planes(self._bands)
        if isinstance(planes, str):
            self.paths.append(planes)
            return
        name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in item.name)
        path = self._planned(f"{name}.vrt")
        self._writes[path] = functools.partial(write_stack, path, planes, f"item {item.name}")

    def _planned(self, name: str) -> Path:
        path = self._folder / name
        if path in self._writes:
            raise InputError(f"item {path.stem}", "is there twice", "give each item once")
        self.paths.append(str(path))
        return path

    def write(self) -> None:
        """Write arrays, piece by piece, so that what is lazy is computed once, and virtual rasters of items."""
        writes = list(self._writes.values())
        for write in track(writes, len(writes), "images") if writes else ():
            write()

    def remove(self) -> None:
        """Remove what was written, and the folders that nothing else is in."""
        for written in self._writes:
            written.unlink(missing_ok=True)
        for folder in [self._folder, *self._folder.parents[:1]] if self._writes else ():
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def as_files(images: Images, bands: Bands | None = None) -> Iterator[list[str]]:
    """The paths of images as `ImageFiles` has them; arrays and items are files for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="terrasift-") as folder:
        files = ImageFiles(images, folder, bands)
        files.write()
        yield files.paths


def _each(images: Images) -> Iterable[Any]:
    if isinstance(images, str | os.PathLike | np.ndarray) or is_labelled(images) or is_item(images):
        return [images]
    if not isinstance(images, Iterable):
        raise InputError("images", f"is of type {type(images).__name__}", "name files, or give arrays")
    return images


def _array(image: Any, name: str, bands: Bands | None) -> ImageArray:
    if is_labelled(image):
        return image_of(image, name, bands)
    if isinstance(image, np.ndarray):
        return ImageArray(image, name)
    raise InputError(name, f"is of type {type(image).__name__}", "name a file, or give an array or a DataArray")
