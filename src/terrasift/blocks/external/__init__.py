"""Block 5b, class refinement by clustering superpixels: the external algorithm (docs/method.md)."""

from __future__ import annotations

from terrasift.blocks.external.segmentation import ExternalSteps, external_segmentation, external_steps

__all__ = ["ExternalSteps", "external_segmentation", "external_steps"]
