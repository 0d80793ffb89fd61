"""What was found out about images without labels: enough to say for any image which cluster each superpixel is in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from terrasift.data.regions import make_regions
from terrasift.data.scaling import checked_array
from terrasift.discovery.clusters import nearest_centres
from terrasift.discovery.contrast import EMBEDDING, Perceptron
from terrasift.discovery.descriptors import block_sizes, describe_regions
from terrasift.discovery.neighbours import Projection
from terrasift.errors import RunError, SettingError
from terrasift.files import write_bytes
from terrasift.files.arrays import read_arrays
from terrasift.legend.colours import distinct_colors
from terrasift.notebook import html_table, new_axes, picture
from terrasift.recipe import Recipe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Discovery"]


@dataclass(frozen=True)
class Discovery:
    """A dictionary, a projection, an embedding and cluster centres (docs/discovery.md).

    Attributes
    ----------
    recipe
        Its bands, scaling and refinement say how an image is read and cut into superpixels.
    filters
        (2, F, B, 7, 7), float32: the dictionaries of the full and the half resolution.
    projection
        Descriptors to numbers in which neighbours are alike.
    own
        The first numbers of descriptors, those of the superpixel itself, to their principal components.
    perceptron
        The projected numbers to the contrastive embedding; None where there were too few superpixels to learn it.
    means, factors
        Of the parts of the embedding, as they are joined: each is centred, and multiplied.
    centres
        (K, E), float32, for each classifier.

    Examples
    --------
    >>> found = terrasift.discover(["ortho"], "default")  # doctest: +SKIP
    >>> clusters = found.labels(array)  # (H, W, bands) -> (H, W)  # doctest: +SKIP
    """

    recipe: Recipe
    filters: NDArray[np.float32]
    projection: Projection
    own: Projection
    perceptron: Perceptron | None
    means: tuple[NDArray[np.float32], ...]
    factors: tuple[float, ...]
    centres: tuple[NDArray[np.float32], ...]

    def __repr__(self) -> str:
        return f"Discovery({', '.join(self._facts)})"

    def _repr_html_(self) -> str:
        sheet = picture(_sheet(self.filters[0]), "the filters of the full resolution; grey is 0")
        return html_table("Discovery", [*((fact,) for fact in self._facts), (sheet,)])

    def plot(self, classifier: int = 1, axes: Axes | None = None) -> Axes:
        """Draw the clusters in the embedding, on its two directions in which their centres spread most.

        Parameters
        ----------
        classifier
            Whose clusters, from 1.
        axes
            What to draw on; None: a new figure.
        """
        axes = new_axes(axes)
        centres = self.centres[classifier - 1].astype(np.float64)
        _, spread, directions = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)
        x, y = ((centres - centres.mean(axis=0)) @ directions[:2].T).T
        axes.scatter(x, y, s=120, c=distinct_colors(len(centres)))
        for number, place in enumerate(zip(x, y, strict=True)):
            axes.annotate(str(number), place, ha="center", va="center", fontsize="x-small")
        shares = spread[:2] ** 2 / (spread**2).sum()
        axes.set(xlabel=f"{shares[0]:.0%} of the spread", ylabel=f"{shares[1]:.0%} of the spread", aspect="equal")
        return axes

    @property
    def _facts(self) -> list[str]:
        _, filters, bands, *_ = self.filters.shape
        clusters = " and ".join(str(len(centres)) for centres in self.centres)
        how = "whitened" if self.perceptron is None else "learned by contrast"
        return [
            f"{clusters} clusters",
            f"{bands} bands",
            f"{filters} filters",
            f"embedding of {self.centres[0].shape[1]} numbers, {how}",
        ]

    def labels(
        self, array: NDArray[Any], valid: NDArray[np.bool_] | None = None, classifier: int = 1
    ) -> NDArray[np.int64]:
        """The cluster of every pixel of an array: that of its superpixel.

        Parameters
        ----------
        array
            (H, W, bands) or (H, W), in the dtype of the images it was found in.
        valid
            (H, W), bool: pixels that hold data. None means all that are finite.
        classifier
            Which clustering, from 1.

        Returns
        -------
        ndarray
            (H, W), int64, from 0; -1 where there is no data.

        Raises
        ------
        InputError
            If the array's shape or dtype does not fit.
        SettingError
            If the recipe's superpixels are precomputed: those of an array are not known.
        """
        image, inside = self._read(array, valid)
        return np.where(inside, self.clusters_of(image, inside, classifier), -1)

    def embedding(self, array: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """What `labels` clusters: (H, W, E), float32, the point of every pixel's superpixel; NaN without data."""
        image, inside = self._read(array, valid)
        regions, points = self.points_of(image, inside)
        return np.where(inside[:, :, None], points[regions], np.nan).astype(np.float32)

    def clusters_of(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_], classifier: int = 1
    ) -> NDArray[np.int64]:
        """`labels` of an image (H, W, bands) that is in [0, 1] already; anything where there is no data."""
        regions, points = self.points_of(image, valid)
        return nearest_centres(points, self.centres[classifier - 1])[regions]

    def points_of(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Superpixels (H, W) of an image that is in [0, 1] already, and the point of each (n, E): what is clustered."""
        if not valid.any():
            return np.zeros(valid.shape, np.int32), np.zeros((1, self.centres[0].shape[1]), np.float32)
        if self.recipe.refinement.method == "precomputed":
            mend = "replace it by opencv_slic: its superpixels have descriptors, too"
            raise SettingError("refinement.method", "precomputed has label rasters of files, not of arrays", mend)
        regions = make_regions(image, valid, self.recipe.refinement)
        return regions, self.embed(describe_regions(image, regions, valid, self.filters))

    def embed(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Descriptors (n, D) to points (n, E)."""
        return self.join(self.parts(descriptors))

    def parts(self, descriptors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Whitened numbers, what superpixels are by themselves and, where learned, the contrastive embedding."""
        whitened, own = self.projection(descriptors), self.own(descriptors[:, : len(self.own.offset)])
        return [whitened, own] if self.perceptron is None else [whitened, own, self.perceptron.embed(whitened)]

    def join(self, parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Parts of an embedding, centred and scaled, beside each other."""
        scaled = [
            (part - mean) * np.float32(factor)
            for part, mean, factor in zip(parts, self.means, self.factors, strict=True)
        ]
        return np.concatenate(scaled, axis=1)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as a safetensors file, whole or not at all; it holds no code."""
        arrays = {"filters": self.filters, "offset": self.projection.offset, "directions": self.projection.directions}
        arrays |= {"own_offset": self.own.offset, "own_directions": self.own.directions}
        arrays |= {f"mean_{number}": mean for number, mean in enumerate(self.means)}
        arrays |= {f"centres_{number}": centres for number, centres in enumerate(self.centres, 1)}
        arrays["factors"] = np.array(self.factors)
        if self.perceptron is not None:
            state = self.perceptron.state_dict()
            arrays |= {f"{_PERCEPTRON}{name}": tensor.numpy() for name, tensor in state.items()}
        content = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return write_bytes(path, save(content, {"recipe": self.recipe.model_dump_json()}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Discovery:
        """What `save` wrote.

        Raises
        ------
        RunError
            If the file is something else, or damaged.
        """
        arrays, texts = read_arrays(path, RunError, _MEND)
        try:
            found = cls._of_arrays(Recipe.model_validate_json(texts["recipe"]), arrays)
            found._check_shapes()
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise RunError(path, "does not hold a discovery", _MEND) from error
        return found

    @classmethod
    def _of_arrays(cls, recipe: Recipe, arrays: dict[str, NDArray[Any]]) -> Discovery:
        if any(array.dtype.kind != "f" for name, array in arrays.items() if not name.startswith(_PERCEPTRON)):
            raise ValueError("arrays are of other types")
        projection = Projection(arrays["offset"], arrays["directions"])
        learned = [name for name in arrays if name.startswith(_PERCEPTRON)]
        state = {name.removeprefix(_PERCEPTRON): torch.from_numpy(arrays[name]) for name in learned}
        perceptron = Perceptron(projection.directions.shape[1]).eval() if state else None
        if perceptron is not None:
            perceptron.load_state_dict(state)
        factors = tuple(arrays["factors"].tolist())
        return cls(
            recipe,
            arrays["filters"],
            projection,
            Projection(arrays["own_offset"], arrays["own_directions"]),
            perceptron,
            tuple(arrays[f"mean_{number}"] for number in range(len(factors))),
            factors,
            tuple(arrays[f"centres_{number}"] for number in range(1, recipe.classifiers + 1)),
        )

    def _check_shapes(self) -> None:
        """ValueError where two of the arrays do not fit together, or the recipe."""
        _, filters, bands, side, across = self.filters.shape
        blocks = block_sizes(bands, filters)
        wide = [self.projection.directions.shape[1], self.own.directions.shape[1]]
        wide += [] if self.perceptron is None else [EMBEDDING]
        fits = (
            bands == len(self.recipe.measured_scaling.low)
            and self.filters.shape[0] == 2
            and side == across
            and _shapes(self.projection) == ((sum(blocks),), (sum(blocks), wide[0]))
            and _shapes(self.own) == ((sum(blocks[:3]),), (sum(blocks[:3]), wide[1]))
            and [mean.shape for mean in self.means] == [(count,) for count in wide]
            and all(0 < len(each) <= self.recipe.clusters and each.shape[1:] == (sum(wide),) for each in self.centres)
        )
        if not fits:
            raise ValueError("arrays do not fit together")

    def _read(
        self, array: NDArray[Any], valid: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """An array in [0, 1], each band's mean where there is no data, and its validity."""
        values, inside = checked_array(array, valid, self.recipe)
        return self.recipe.measured_scaling.to_unit(values, inside), inside


def _sheet(filters: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(F, B, 7, 7) as a sheet of small pictures, eight in a row, of their first three bands or the only one."""
    bands = [0, 1, 2] if filters.shape[1] > 2 else [0, 0, 0]
    shown = np.moveaxis(filters[:, bands], 1, -1)
    tiles = 0.5 + shown / (2 * np.maximum(np.abs(shown).max(axis=(1, 2, 3), keepdims=True), 1e-12))
    rows = -(-len(tiles) // 8)
    framed = np.pad(tiles, ((0, 8 * rows - len(tiles)), (1, 1), (1, 1), (0, 0)), constant_values=1.0)
    whole = framed.reshape(rows, 8, *framed.shape[1:]).swapaxes(1, 2).reshape(rows * framed.shape[1], -1, 3)
    return np.asarray(np.kron(255 * whole, np.ones((4, 4, 1))).astype(np.uint8))


def _shapes(projection: Projection) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return projection.offset.shape, projection.directions.shape


_PERCEPTRON = "perceptron."
_MEND = "restore it; while training, delete it and resume"
