"""Legends: what the classes are called, how they are drawn, and which clusters each one holds."""

from __future__ import annotations

from terrasift.legend.land_class import IGNORE, LandClass, spans
from terrasift.legend.legend import Legend

__all__ = ["IGNORE", "LandClass", "Legend", "spans"]
