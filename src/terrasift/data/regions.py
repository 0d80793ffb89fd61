"""The regions of patches: where they come from, and those made here, once, in parallel, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import platformdirs
from numpy.typing import NDArray

from terrasift.blocks.superpixels import superpixels
from terrasift.data.patches import Patch, PatchReader
from terrasift.errors import InputError
from terrasift.files import remove, saying, tidy, whole
from terrasift.files.arrays import read_npz
from terrasift.progress import track
from terrasift.recipe import Refinement

__all__ = [
    "WORTH_PROCESSES",
    "RegionCache",
    "RegionSource",
    "default_cache_folder",
    "make_regions",
    "prepare_regions",
]

WORTH_PROCESSES = 64
"""Patches from which it pays to share the work: starting processes takes longer than cutting fewer."""


class RegionSource(Protocol):
    """Where the regions of a patch come from. It travels to other processes."""

    def of_patch(self, patch: Patch, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The regions of a patch, whose pixels have been read.

        Parameters
        ----------
        patch
            The window.
        image
            (side, side, bands), float32 in [0, 1].
        valid
            (side, side), bool.

        Returns
        -------
        ndarray
            (side, side), int32, numbered from 0; 0 also where there is no data.
        """


class RegionCache:
    """Regions of images in files named by a hash of the image, its validity and the settings.

    A file appears whole or not at all, so that processes can share a folder and a killed one leaves nothing broken. A
    file that cannot be read is made again.

    Parameters
    ----------
    folder
        Where the files are; made when it is first written to.
    refinement
        How images are cut into regions.
    """

    def __init__(self, folder: str | os.PathLike[str], refinement: Refinement) -> None:
        self.folder = Path(folder)
        self.refinement = refinement
        libraries = " ".join(f"{name} {version(name)}" for name in _LIBRARIES)
        self._settings = f"{refinement.model_dump_json()} {libraries}".encode()

    def regions(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The regions of one image, from the cache or made now.

        Parameters
        ----------
        image
            (H, W, bands), float32 in [0, 1].
        valid
            (H, W), bool.

        Returns
        -------
        ndarray
            (H, W), int32, numbered from 0; 0 also where there is no data.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        if self.refinement.method == "none":  # faster made than read
            return make_regions(image, valid, self.refinement)
        path = self._path(image, valid)
        regions = _read(path, valid.shape)
        if regions is None:
            regions = make_regions(image, valid, self.refinement)
            _write(path, regions)
        return regions

    def of_patch(self, patch: Patch, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
        """`regions` of its pixels, whatever scene they are from."""
        return self.regions(image, valid)

    def trim(self, limit_bytes: float) -> int:
        """Delete the files longest unused until the folder holds at most `limit_bytes`; returns how many went.

        What a killed process left unfinished goes whatever the limit; whatever else is there stays.
        """
        self.tidy()
        entries = []
        for path in self.folder.glob("??/*.npz"):
            if not _OUR_NAMES.fullmatch(path.name):
                continue
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                status = path.stat()
                entries.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        deleted = 0
        for _, size, path in sorted(entries):
            if total <= limit_bytes:
                break
            remove(path)
            total -= size
            deleted += 1
        return deleted

    def tidy(self) -> None:
        """Remove what killed processes left unfinished, and nothing that another one is at work on."""
        for left in self.folder.glob("??/.*.writing"):
            if _OUR_NAMES.fullmatch(left.name):
                tidy(left.with_name(left.name.removeprefix(".").removesuffix(".writing")))

    def _path(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> Path:
        content = hashlib.blake2b(self._settings, digest_size=20)
        content.update(f"{image.shape} {image.dtype}".encode())
        content.update(image.tobytes())
        content.update(valid.tobytes())
        name = content.hexdigest()
        return self.folder / name[:2] / f"{name[2:]}.npz"


_LIBRARIES = ("scikit-image", "opencv-contrib-python-headless")  # whose next version may cut otherwise
_OUR_NAMES = re.compile(r"[0-9a-f]{38}\.npz|\.[0-9a-f]{38}\.npz\.writing")


def make_regions(image: NDArray[np.float32], valid: NDArray[np.bool_], refinement: Refinement) -> NDArray[np.int32]:
    """Cut one image into regions as the settings say: (H, W), int32, from 0; 0 also where there is no data."""
    if refinement.method == "external":
        from terrasift.blocks.external import external_segmentation  # SciPy's clustering takes long to import

        bands = [number - 1 for number in refinement.color_bands]
        classes = external_segmentation(image, bands=bands, restarts=refinement.restarts, valid=valid)
        return np.where(valid, classes, 0).astype(np.int32)
    if refinement.method == "precomputed":
        raise ValueError("precomputed regions are read, not made: PrecomputedRegions")
    return superpixels(
        image,
        refinement.method,
        area=refinement.area,
        compactness=refinement.compactness,
        scale=refinement.scale,
        min_size=refinement.min_size,
        valid=valid,
    )


def default_cache_folder() -> Path:
    """Where superpixels are kept unless a command says otherwise: the user's cache folder of the system."""
    return Path(platformdirs.user_cache_dir("terrasift")) / "superpixels"


def prepare_regions(
    source: RegionSource,
    reader: PatchReader,
    patches: Sequence[Patch],
    side: int,
) -> None:
    """Ask for the regions of all patches once, in as many processes as there are cores: those kept are made now.

    Parameters
    ----------
    source
        Makes or reads them.
    reader
        Reads the patches.
    patches
        The patches.
    side
        Patch size, pixels.
    """
    processes = joblib.cpu_count() if len(patches) >= WORTH_PROCESSES else 1
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator_unordered", batch_size="auto")
    made = parallel(joblib.delayed(_prepare_one)(source, reader, patch, side) for patch in patches)
    for _ in track(made, len(patches), "superpixels"):
        pass


def _prepare_one(source: RegionSource, reader: PatchReader, patch: Patch, side: int) -> None:
    source.of_patch(patch, *reader.read(patch, side))


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.int32] | None:
    try:
        regions: NDArray[np.int32] = read_npz(path, {"regions": ("i", 2)})["regions"]
    except InputError:  # missing, cut off or damaged in one of many ways: it is made again
        return None
    if regions.shape != shape or regions.dtype != np.int32 or not 0 <= regions.min() <= regions.max() < regions.size:
        return None
    with contextlib.suppress(OSError):  # somebody else's cache may be read only
        os.utime(path)  # used now: the last to go when space is short
    return regions


def _write(path: Path, regions: NDArray[np.int32]) -> None:
    with saying(path.parent.parent, mend="choose another folder: `cache`"), whole(path) as partial:
        np.savez_compressed(partial, regions=regions)
