"""Classes without labels: what superpixels are like, which of them belong together (docs/discovery.md)."""

from __future__ import annotations

from terrasift.discovery.dictionary import learn_dictionary
from terrasift.discovery.discover import CONTRAST_FROM, EmbeddingParts, discover_in
from terrasift.discovery.discovery import Discovery
from terrasift.discovery.targets import Targets

__all__ = ["CONTRAST_FROM", "Discovery", "EmbeddingParts", "Targets", "discover_in", "learn_dictionary"]
