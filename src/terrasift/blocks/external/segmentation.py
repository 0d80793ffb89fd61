"""The external algorithm, step by step (docs/method.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.external.clustering import Clustering, cluster_superpixels
from terrasift.blocks.external.features import superpixel_features
from terrasift.blocks.external.inputs import three_bands, valid_mask
from terrasift.blocks.external.preprocessing import equalise_lightness, match_reference, smooth
from terrasift.blocks.external.superpixels import lab_superpixels
from terrasift.errors import InputError, SettingError

__all__ = ["ExternalSteps", "external_segmentation", "external_steps"]

_IGNORED = 65535


@dataclass(frozen=True)
class ExternalSteps:
    """What each step of the external algorithm made."""

    smoothed: NDArray[np.float32]
    """(H, W, 3) in [0, 1]: the image after steps 1 and 2, which all later steps see."""
    smoothing: float
    """Degree of smoothing of the bilateral filter, in CIELAB units squared."""
    superpixels: NDArray[np.int32]
    """(H, W): the n superpixels, from 0; -1 where invalid."""
    features: NDArray[np.float64]
    """(n, 375): what step 4 measured."""
    clustering: Clustering
    """Steps 5 to 8."""
    labels: NDArray[np.uint16]
    """(H, W): the classes, from 0; 65535 where invalid."""


def external_segmentation(
    array: NDArray[Any],
    *,
    bands: Sequence[int] = (0, 1, 2),
    clahe: bool = False,
    reference: NDArray[Any] | None = None,
    restarts: int = 20,
    seed: int = 0,
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint16]:
    """Segment one image without labels, by clustering its superpixels.

    CLAHE and histogram matching if asked for, bilateral filter, SLIC, 375 features of each superpixel, their principal
    components, fuzzy c-means with as many clusters as the knee of its objective says, and a merging of close clusters.

    Parameters
    ----------
    array
        (H, W, bands) or (H, W): uint8, or floats in [0, 1].
    bands
        The three bands, numbered from 0, that feed the colour spaces. One may be repeated: (0, 0, 0) for a single
        band.
    clahe
        Even out the contrast of the lightness first; of the reference too.
    reference
        (H', W', bands), as `array`: an image whose histograms the bands take over. Give the image itself where it is
        the reference that others are matched to: nothing is matched then, and the clusters are two more.
    restarts
        Restarts of fuzzy c-means, of which the best partition is kept. The original takes 500 to 1000: try that where
        the classes change with the seed; 500 take a fraction of the whole algorithm's time.
    seed
        Of all random starts. The same seed gives the same classes, another may give others.
    valid
        (H, W), bool: pixels that take part. None means all; the others may hold anything, NaN too.

    Returns
    -------
    ndarray
        Labels (H, W), uint16: classes from 0, at most 32; 65535 where invalid.

    Raises
    ------
    InputError
        If the array, the reference or the mask cannot be used.
    SettingError
        If `restarts` or `seed` is out of its range.

    Notes
    -----
    What the papers leave open follows the authors' published code, https://github.com/jpklock2/semantic-segmentation;
    the function of each step says where it does, where not, and why. In short:

    - All steps after the bilateral filter see the filtered image, in [0, 1].
    - Pixels beyond the frame or the valid area have no weight in the bilateral filter; the CLAHE and the texture
      filters see the nearest valid pixel there instead.
    - With fewer than three superpixels, or none that differ, nothing can be clustered: superpixels that differ become
      classes.

    References
    ----------
    Jaimes, Ferreira and Castro, "Unsupervised Semantic Segmentation of Aerial Images With Application to UAV
    Localization", IEEE Geoscience and Remote Sensing Letters, 2022. https://doi.org/10.1109/LGRS.2021.3113878

    Examples
    --------
    >>> shore = np.zeros((120, 150, 3))
    >>> shore[:, :75] = (0.1, 0.2, 0.5)
    >>> shore[:, 75:] = (0.8, 0.7, 0.5)
    >>> np.unique(external_segmentation(shore)).tolist()
    [0, 1]
    """
    counted = valid_mask(array, valid)
    if not counted.any():
        three_bands(array, bands, counted)  # what is wrong with them is said all the same
        return np.full(counted.shape, _IGNORED, np.uint16)
    return external_steps(
        array, bands=bands, clahe=clahe, reference=reference, restarts=restarts, seed=seed, valid=valid
    ).labels


def external_steps(
    array: NDArray[Any],
    *,
    bands: Sequence[int] = (0, 1, 2),
    clahe: bool = False,
    reference: NDArray[Any] | None = None,
    restarts: int = 20,
    seed: int = 0,
    valid: NDArray[np.bool_] | None = None,
) -> ExternalSteps:
    """What every step of `external_segmentation` makes of an image with a valid pixel; the rest as there."""
    if restarts < 1:
        raise SettingError("restarts", f"{restarts} is too small", "use 1 or more")
    if seed < 0:
        raise SettingError("seed", f"{seed} is negative", "use 0 or more")
    counted = valid_mask(array, valid)
    rgb = three_bands(array, bands, counted)
    if not counted.any():
        raise InputError("valid", "no pixel is valid", "there are no steps to return")
    is_reference = reference is not None and np.array_equal(array, reference, equal_nan=True)
    if clahe:
        rgb = equalise_lightness(rgb, counted)
    if reference is not None and not is_reference:
        rgb = match_reference(rgb, counted, _prepare_reference(reference, bands, clahe=clahe))
    smoothed, smoothing = smooth(rgb, counted)
    superpixels = lab_superpixels(smoothed, counted)
    features = superpixel_features(smoothed, superpixels)
    clustering = cluster_superpixels(
        features, np.random.default_rng(seed), restarts=restarts, more_clusters=2 if is_reference else 0
    )
    labels = np.where(counted, clustering.classes[superpixels], _IGNORED).astype(np.uint16)
    return ExternalSteps(smoothed, smoothing, superpixels, features, clustering, labels)


def _prepare_reference(reference: NDArray[Any], bands: Sequence[int], *, clahe: bool) -> NDArray[np.float32]:
    counted = valid_mask(reference, None, where="reference")
    rgb = three_bands(reference, bands, counted, where="reference")
    return equalise_lightness(rgb, counted) if clahe else rgb
