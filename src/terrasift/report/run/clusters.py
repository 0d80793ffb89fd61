"""A card for each cluster: where it is dense, its share, its spectrum, its neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrasift.clusters import ClusterFacts, Crop
from terrasift.data.patches import Patch, RawReader
from terrasift.errors import TerrasiftError
from terrasift.legend import LandClass, Legend
from terrasift.recipe import Recipe
from terrasift.report.drawing import photo
from terrasift.report.pictures import embed_photo
from terrasift.report.run.spectra import Spectrum, SpectrumAxes, spectrum_axes, spectrum_of

__all__ = ["Card", "CardGroup", "ClusterCards", "cluster_cards"]

_NEIGHBOURS = 4
_CROP_QUALITY = 78


class CropPicture(NamedTuple):
    """A crop, and in words what it shows; no picture where its scene has gone."""

    uri: str
    alt: str
    percent: str


class Neighbour(NamedTuple):
    """A cluster beside or like another."""

    cluster: int
    color: str
    percent: str
    """Of the border; empty where it is alike."""


class Card(NamedTuple):
    """One cluster."""

    cluster: int
    color: str
    percent: str
    crops: list[CropPicture]
    spectrum: Spectrum
    beside: list[Neighbour]
    alike: list[Neighbour]


class CardGroup(NamedTuple):
    """The clusters of one class, largest first."""

    name: str
    """Empty where the clusters have no classes."""
    color: str
    percent: str
    held: int
    """Clusters that the legend puts there; those without a pixel in the sample have no card."""
    cards: list[Card]


class ClusterCards(NamedTuple):
    """All cards, and what they share."""

    groups: list[CardGroup]
    axes: SpectrumAxes
    seen: int
    unseen: list[int]
    pixels: str
    has_crops: bool


def cluster_cards(facts: ClusterFacts, legend: Legend, recipe: Recipe, *, is_mapped: bool) -> ClusterCards:
    """Cards of all clusters with pixels, by the classes that hold them, if any.

    Parameters
    ----------
    facts
        Of the legend's classifier.
    legend
        The run's.
    recipe
        Of the trained run.
    is_mapped
        Whether the legend's classes are classes, not the clusters themselves.
    """
    writer = _Cards(facts, recipe)
    order = [int(cluster) for cluster in np.argsort(-facts.pixels, kind="stable") if facts.pixels[cluster]]
    if is_mapped:
        mapping = legend.mapping(recipe.clusters)
        classes: list[LandClass | None] = [*legend.classes, None]
        held = [[k for k in order if mapping[k] == index] for index in (*range(len(legend.classes)), -1)]
        groups = [writer.group(entry, found) for entry, found in zip(classes, held, strict=True) if found]
    else:
        groups = [CardGroup("", "", "", len(order), [writer.card(cluster) for cluster in order])]
    cards = [card for group in groups for card in group.cards]
    unseen = np.flatnonzero(facts.pixels == 0).tolist()
    has_crops = any(crop.uri for card in cards for crop in card.crops)
    return ClusterCards(groups, writer.axes, len(order), unseen, f"{int(facts.pixels.sum()):,}", has_crops)


class _Cards:
    """Writes cards, keeping a few scenes open."""

    def __init__(self, facts: ClusterFacts, recipe: Recipe) -> None:
        self.axes = spectrum_axes(facts)
        self._facts = facts
        self._recipe = recipe
        self._colors = [entry.color for entry in Legend.of_clusters(recipe.clusters).classes]
        self._reader = RawReader(recipe.bands)
        self._distances = _distances(facts.prototypes)

    def group(self, entry: LandClass | None, clusters: list[int]) -> CardGroup:
        cards = [self.card(cluster) for cluster in clusters]
        name, color, held = (entry.name, entry.color, len(entry.clusters)) if entry else ("in no class", "", len(cards))
        return CardGroup(name, color, self._percent(int(self._facts.pixels[clusters].sum())), held, cards)

    def card(self, cluster: int) -> Card:
        facts = self._facts
        return Card(
            cluster,
            self._colors[cluster],
            self._percent(int(facts.pixels[cluster])),
            [self._crop(crop, cluster) for crop in facts.crops[cluster]],
            spectrum_of(facts, cluster, self.axes),
            self._beside(cluster),
            self._alike(cluster),
        )

    def _crop(self, crop: Crop, cluster: int) -> CropPicture:
        percent = f"{100 * crop.share:.0f}" if crop.share >= 0.005 else "< 1"
        alt = f"Crop filled to {percent} % by cluster {cluster}"
        try:
            values, _ = self._reader.raw(Patch(crop.scene, crop.window, self._recipe.resolution))
            return CropPicture(embed_photo(photo(values, self._recipe), _CROP_QUALITY), alt, percent)
        except TerrasiftError:
            return CropPicture("", alt, percent)

    def _beside(self, cluster: int) -> list[Neighbour]:
        borders = self._facts.adjacency[cluster]
        largest = [int(other) for other in np.argsort(-borders, kind="stable")[:_NEIGHBOURS] if borders[other]]
        return [Neighbour(k, self._colors[k], f"{100 * borders[k] / borders.sum():.0f}") for k in largest]

    def _alike(self, cluster: int) -> list[Neighbour]:
        nearest = np.argsort(self._distances[cluster], kind="stable")[:_NEIGHBOURS].tolist()
        return [Neighbour(k, self._colors[k], "") for k in nearest if np.isfinite(self._distances[cluster, k])]

    def _percent(self, pixels: int) -> str:
        share = 100 * pixels / self._facts.pixels.sum()
        return f"{share:.1f}" if share >= 0.05 else "< 0.1"


def _distances(prototypes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances (K, K) of prototypes (K, F); infinite to itself and to clusters without pixels."""
    squares = (prototypes**2).sum(axis=1)
    distances: NDArray[np.float64] = squares[:, None] + squares - 2 * prototypes @ prototypes.T
    distances[np.isnan(distances)] = np.inf
    np.fill_diagonal(distances, np.inf)
    return distances
