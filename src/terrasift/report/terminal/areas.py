"""Areas of classes as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from terrasift.raster import ClassArea, ClassAreas
from terrasift.report.words import area_text

__all__ = ["area_lines"]


def area_lines(areas: ClassAreas) -> Iterator[str]:
    """A table for the whole map, and one for each zone."""
    yield from _table(f"areas, {areas.unit}", areas.classes, areas.unit)
    for name, classes in areas.zones.items():
        yield from _table(f"in {name}", classes, areas.unit)


def _table(title: str, classes: Sequence[ClassArea], unit: str) -> Iterator[str]:
    total = sum(entry.area for entry in classes)
    names = [entry.name for entry in classes]
    texts = [area_text(entry.area, unit) for entry in classes]
    wide, far = max(map(len, [*names, "all"])), max(map(len, [*texts, area_text(total, unit)]))
    yield f"{title}:"
    for name, text, entry in zip(names, texts, classes, strict=True):
        yield f"  {name:<{wide}}  {text:>{far}}  {entry.area / total if total else 0:>6.1%}"
    yield f"  {'all':<{wide}}  {area_text(total, unit):>{far}}"
