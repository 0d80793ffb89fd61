"""What a user would pick instead, scored the same way."""

from __future__ import annotations

from terrasift.baselines.beside import BESIDE, score_beside
from terrasift.baselines.discovery_alone import DiscoveryAlone
from terrasift.baselines.external import ExternalAlone
from terrasift.baselines.kmeans import KMeans, PixelKMeans, SuperpixelKMeans, fit_kmeans
from terrasift.baselines.per_image import PerImageOptimisation

__all__ = [
    "BESIDE",
    "DiscoveryAlone",
    "ExternalAlone",
    "KMeans",
    "PerImageOptimisation",
    "PixelKMeans",
    "SuperpixelKMeans",
    "fit_kmeans",
    "score_beside",
]
