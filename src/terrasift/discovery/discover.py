"""Unlabelled patches to a discovery, and to the clusters of their superpixels (docs/discovery.md)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from terrasift.blocks.regions import neighbour_pairs
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.regions import WORTH_PROCESSES, RegionSource
from terrasift.discovery.clusters import find_centres, nearest_shares, unit_deviation
from terrasift.discovery.contrast import learn_contrast
from terrasift.discovery.descriptors import block_sizes, describe_regions
from terrasift.discovery.dictionary import learn_dictionary
from terrasift.discovery.discovery import Discovery
from terrasift.discovery.neighbours import closer_pairs, principal_components, whiten_by_neighbours
from terrasift.discovery.targets import Targets
from terrasift.errors import InputError, SettingError
from terrasift.machine import keep_freed_memory
from terrasift.progress import track
from terrasift.recipe import Recipe

__all__ = ["CONTRAST_FROM", "Discovered", "EmbeddingParts", "discover_in"]

CONTRAST_FROM = 50_000
"""Superpixels from which the contrastive embedding is learned: with fewer, whitening alone does better."""

EmbeddingParts = Literal["both", "contrast", "whitened"]

_WEIGHTS = {"both": (1.0, 1.0, 0.5), "contrast": (0.0, 0.0, 1.0), "whitened": (1.0, 0.0)}
"""Of the whitened numbers, of what superpixels are by themselves, and of the contrastive embedding.

Whitening favours what changes slowly, so what surrounds a superpixel: alone it loses roads and other narrow things."""

_logger = logging.getLogger(__name__)


class Discovered(NamedTuple):
    """What `discover_in` gives."""

    discovery: Discovery
    targets: Targets


def discover_in(
    patches: Sequence[Patch],
    reader: PatchReader,
    regions: RegionSource,
    recipe: Recipe,
    *,
    parts: EmbeddingParts = "both",
) -> Discovered:
    """Find clusters of superpixels that mean something, without labels.

    Parameters
    ----------
    patches
        What is looked at: a bounded sample (`data.sampling.draw_patches`).
    reader
        Reads them.
    regions
        Gives their superpixels.
    recipe
        With its scaling measured.
    parts
        What is clustered: for ablations, one alone.

    Raises
    ------
    SettingError
        If there are fewer superpixels than clusters.
    InputError
        If nothing can be told apart.
    """
    filters = learn_dictionary(patches, reader, recipe)
    described = _describe(patches, reader, regions, recipe.patch, filters)
    descriptors, pairs, counts = described.descriptors, described.pairs, described.counts
    if len(descriptors) < recipe.clusters:
        mend = f"set clusters to {max(2, len(descriptors))} or fewer, or add images"
        raise SettingError("clusters", f"{recipe.clusters} is more than the {len(descriptors)} superpixels", mend)
    if not len(pairs):
        raise InputError(patches[0].scene, "has no superpixels that touch", "make refinement.area smaller")
    blocks = block_sizes(len(recipe.measured_scaling.low), filters.shape[1])
    principal = principal_components(descriptors, blocks)
    components = principal(descriptors)
    own = principal_components(descriptors[:, : sum(blocks[:3])], blocks[:3])
    alike = closer_pairs(components, pairs)
    projection = principal.times(whiten_by_neighbours(components, alike))
    whitened, by_itself = projection(descriptors), own(descriptors[:, : len(own.offset)])
    del descriptors, described, components
    perceptron = None
    if parts == "contrast" or (parts == "both" and len(whitened) >= CONTRAST_FROM):
        perceptron = learn_contrast(whitened, alike, recipe.seed).eval()
    embedded = [whitened, by_itself, *([] if perceptron is None else [perceptron.embed(whitened)])]
    weights = _WEIGHTS[parts][: len(embedded)]
    units = [unit_deviation(part) for part in embedded]
    factors = tuple(weight / max(unit[1], 1e-9) for weight, unit in zip(weights, units, strict=True))
    found = Discovery(recipe, filters, projection, own, perceptron, tuple(unit[0] for unit in units), factors, ())
    points = found.join(embedded)
    centres = tuple(find_centres(points, recipe.clusters, recipe.seed + number) for number in range(recipe.classifiers))
    for number, held in enumerate(centres, 1):
        if len(held) < recipe.clusters:
            _logger.warning("clustering %d has only %d clusters: superpixels are too alike", number, len(held))
    nearest, shares = zip(*(nearest_shares(points, held) for held in centres), strict=True)
    targets = Targets(patches, counts, np.stack(nearest).astype(np.uint16), np.stack(shares))
    return Discovered(dataclasses.replace(found, centres=centres), targets)


class _Described(NamedTuple):
    descriptors: NDArray[np.float32]
    """(n, D), of all superpixels, patch by patch."""
    pairs: NDArray[np.int64]
    """(m, 2), rows of `descriptors` that touch."""
    counts: list[int]
    """Superpixels of each patch."""


def _describe(
    patches: Sequence[Patch],
    reader: PatchReader,
    regions: RegionSource,
    side: int,
    filters: NDArray[np.float32],
) -> _Described:
    processes = joblib.cpu_count() if len(patches) >= WORTH_PROCESSES else 1
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator", batch_size="auto")
    jobs = (joblib.delayed(_describe_one)(patch, reader, regions, side, filters) for patch in patches)
    descriptors, pairs, counts = [], [], []
    for part, touching in track(parallel(jobs), len(patches), "superpixels"):
        descriptors.append(part)
        pairs.append(touching)
        counts.append(len(part))
    starts = np.cumsum([0, *counts[:-1]])
    return _Described(
        np.concatenate(descriptors),
        np.concatenate([part + start for part, start in zip(pairs, starts, strict=True)]),
        counts,
    )


def _describe_one(
    patch: Patch, reader: PatchReader, regions: RegionSource, side: int, filters: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    keep_freed_memory()  # here, for this may be a process of its own
    image, valid = reader.read(patch, side)
    found: NDArray[Any] = regions.of_patch(patch, image, valid)
    return describe_regions(image, found, valid, filters), neighbour_pairs(found, valid)
