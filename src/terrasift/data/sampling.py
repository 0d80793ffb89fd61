"""Seeded, bounded samples of scenes, of their windows, of patches, and of small windows inside these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.dictionary import FILTER_SIDE, half_resolution
from terrasift.data.patches import Patch, PatchReader, RawReader, patches_of
from terrasift.data.scenes import describe_scenes
from terrasift.errors import InputError
from terrasift.raster import Bands, RasterInfo, is_elsewhere

__all__ = ["MOST_PIXELS", "draw_filter_windows", "draw_patches", "draw_scenes", "draw_windows"]

MOST_PIXELS = 30_000_000
"""Pixels of the patches that anything is learned from beside a network: more images cost neither memory nor time."""

_WINDOWS = 20_000  # at each resolution
_MOST_PATCHES = 512


def draw_patches(patches: Sequence[Patch], seed: int, most: int | None = None) -> list[Patch]:
    """All patches in their order, or, where they hold more pixels, an even, seeded sample of them, one at least.

    Parameters
    ----------
    patches
        Of any sizes.
    seed
        Of the sample.
    most
        Pixels; None: `MOST_PIXELS`.
    """
    most = MOST_PIXELS if most is None else most
    pixels = np.array([patch.window.height * patch.window.width for patch in patches], np.int64)
    if pixels.sum() <= most:
        return list(patches)
    order = np.random.default_rng(seed).permutation(len(patches))
    count = max(1, int(np.searchsorted(pixels[order].cumsum(), most, side="right")))
    return [patches[index] for index in np.sort(order[:count]).tolist()]


def draw_scenes(
    scenes: Sequence[str],
    seed: int,
    cost: Callable[[RasterInfo], int],
    limit: int,
    *,
    most: int | None = None,
    resolution: float | None = None,
) -> list[str]:
    """Scenes in a drawn order, one at least, until they cost too much; few of many are opened.

    Parameters
    ----------
    scenes
        Paths. Those elsewhere (URLs, ``/vsi...``) that do not open are passed over.
    seed
        Of the order.
    cost, limit
        What a scene costs; no other is drawn once those drawn cost the limit.
    most
        Scenes; None: any number.
    resolution
        At which they are described.

    Raises
    ------
    InputError
        If one that is drawn cannot be read, or none of those elsewhere.
    """
    drawn: list[str] = []
    spent = 0
    failure: InputError | None = None
    for index in np.random.default_rng(seed).permutation(len(scenes)).tolist():
        if len(drawn) == most or spent >= limit:
            break
        try:
            (info,) = describe_scenes([scenes[index]], resolution)
        except InputError as error:
            if not is_elsewhere(scenes[index]):
                raise
            failure = failure or error
            continue
        spent += cost(info)
        drawn.append(scenes[index])
    if failure is not None and not drawn:
        raise failure
    return drawn


def draw_windows(
    infos: Sequence[RasterInfo], side: int, bands: Bands | None, most: int, seed: int, in_context: int = 0
) -> list[Patch]:
    """Up to `most` windows with data, drawn evenly over all scenes, in the order of the scenes.

    Parameters
    ----------
    infos
        The scenes.
    side
        Of a window, pixels.
    bands
        Numbers from 1, or names, of bands whose pixels must be valid; None means all.
    most
        Windows.
    seed
        Of the drawing.
    in_context
        Windows of a scene, at most, that are looked at before any that is drawn: no scene is drawn from any more once
        those of the scenes drawn so far add up to 1024.

    Raises
    ------
    InputError
        If no valid pixel is found.
    """
    every = patches_of(infos, side)
    count = Counter(patch.scene for patch in every)
    doubtful = {info.path for info in infos if info.may_be_invalid}
    drawn: list[int] = []
    scenes: set[str] = set()
    reads = in_contexts = 0
    with RawReader(bands) as reader:
        for index in np.random.default_rng(seed).permutation(len(every)).tolist():
            if len(drawn) == most or reads == _READS_PER_WINDOW * most:
                break
            scene = every[index].scene
            if scene not in scenes and in_contexts >= _MOST_IN_CONTEXTS:
                continue
            reads += 1
            if scene in doubtful and not reader.raw(every[index])[1].any():
                continue
            drawn.append(index)
            if scene not in scenes:
                scenes.add(scene)
                in_contexts += min(in_context, count[scene])
    if not drawn:
        where = infos[0].path if len(infos) == 1 else f"{len(infos)} images"
        raise InputError(where, "no valid pixel was found", "check nodata")
    return [every[index] for index in sorted(drawn)]


_READS_PER_WINDOW = 4  # where much of the scenes is nodata
_MOST_IN_CONTEXTS = 1024


def draw_filter_windows(
    patches: Sequence[Patch], reader: PatchReader, side: int, seed: int
) -> list[NDArray[np.float32]]:
    """Small windows of valid pixels, drawn at random from up to 512 patches: what filters are learned from.

    Parameters
    ----------
    patches
        To draw from.
    reader
        Reads them.
    side
        Patch size, pixels.
    seed
        Of the drawing.

    Returns
    -------
    list of ndarray
        At the full resolution, and at the half: (n, B, 7, 7), float32, about 20,000 of them, fewer where much is
        nodata.
    """
    generator = np.random.default_rng(seed)
    chosen = draw_patches(patches, seed, _MOST_PATCHES * side**2)
    each = -(-_WINDOWS // len(chosen))
    found: list[list[NDArray[np.float32]]] = [[], []]
    for patch in chosen:
        image, valid = reader.read(patch, side)
        tensor = torch.from_numpy(image).movedim(2, 0)[None]
        whole = torch.from_numpy(valid)[None, None].float()
        for windows, pixels, seen in zip(
            found, (tensor, half_resolution(tensor)), (whole, half_resolution(whole)), strict=True
        ):
            windows.append(_cut(pixels[0].numpy(), seen[0, 0].numpy() == 1, each, generator))
    return [np.concatenate(windows) for windows in found]


def _cut(
    image: NDArray[np.float32], valid: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """(n, B, 7, 7): of `count` places drawn in an image (B, H, W), those where all is valid."""
    _, height, width = image.shape
    rows = generator.integers(0, max(1, height - FILTER_SIDE + 1), count)
    columns = generator.integers(0, max(1, width - FILTER_SIDE + 1), count)
    cut = [
        np.s_[row : row + FILTER_SIDE, column : column + FILTER_SIDE] for row, column in zip(rows, columns, strict=True)
    ]
    kept = [image[:, *place] for place in cut if valid[place].shape == (FILTER_SIDE,) * 2 and valid[place].all()]
    return np.stack(kept) if kept else np.empty((0, len(image), FILTER_SIDE, FILTER_SIDE), np.float32)
