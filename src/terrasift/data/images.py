"""Images of every kind that Python knows, as the files that everything else reads."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from terrasift.data.scenes import find_scenes
from terrasift.errors import InputError
from terrasift.progress import track
from terrasift.raster import Bands, ImageArray, image_of, is_labelled, write_image

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

__all__ = ["ImageFiles", "Images", "as_files"]

Image: TypeAlias = "str | os.PathLike[str] | NDArray[Any] | DataArray | Dataset"
Images: TypeAlias = "Image | Iterable[Image]"
"""One image or any number: paths as for `find_scenes`, arrays (H, W) or (H, W, bands), DataArrays and Datasets."""


class ImageFiles:
    """Images as files: paths as they are, arrays as GeoTIFFs to be written to a folder.

    Parameters
    ----------
    images
        Of any kinds.
    folder
        Where arrays go; made when the first one does.
    bands
        Of Datasets: the variables that count.

    Attributes
    ----------
    paths
        Of all images, in their order; those of arrays are there after `write`.

    Raises
    ------
    InputError
        If an image cannot be used, or if there is none.
    """

    def __init__(self, images: Images, folder: str | os.PathLike[str], bands: Bands | None = None) -> None:
        self.paths: list[str] = []
        self._folder = Path(folder).absolute()
        self._written: list[Path] = []
        self._writes: list[Callable[[], None]] = []
        every = list(_each(images))
        for number, image in enumerate(every, 1):
            if isinstance(image, str | os.PathLike):
                self.paths += find_scenes(image)
                continue
            path = self._folder / f"image_{number:0{len(str(len(every)))}}.tif"
            array = _array(image, f"image {number}" if len(every) > 1 else "image", bands)
            self.paths.append(str(path))
            self._written.append(path)
            self._writes.append(functools.partial(write_image, path, array))
        if not self.paths:
            find_scenes([])
        self.paths = list(dict.fromkeys(self.paths))

    def write(self) -> None:
        """Write the arrays, piece by piece; what is lazy is computed once."""
        for write in track(self._writes, len(self._writes), "arrays") if self._writes else ():
            write()

    def remove(self) -> None:
        """Remove what was written, and the folders that nothing else is in."""
        for written in self._written:
            written.unlink(missing_ok=True)
        for folder in [self._folder, *self._folder.parents[:1]] if self._written else ():
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def as_files(images: Images, bands: Bands | None = None) -> Iterator[list[str]]:
    """The paths of images as `ImageFiles` has them; arrays are files for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="terrasift-") as folder:
        files = ImageFiles(images, folder, bands)
        files.write()
        yield files.paths


def _each(images: Images) -> Iterable[Any]:
    if isinstance(images, str | os.PathLike | np.ndarray) or is_labelled(images):
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
