"""What a fragment of HTML says."""

from __future__ import annotations

from xml.etree import ElementTree


def cells(html: str) -> list[list[str]]:
    """Texts of the cells of each row; it is well-formed, or else this fails."""
    root = ElementTree.fromstring(f"<html>{html}</html>")
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]
