"""Bring the version that pyproject.toml has to the other files that state it: `python release/versions.py`."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = {
    "CITATION.cff": r"(?m)^(version: )(.*)$",
    "conda/recipe.yaml": r'(?m)^(  version: ")([^"]*)',
    "qgis/terrasift/metadata.txt": r"(?m)^(version=)(.*)$",
}


def version() -> str:
    """The one that counts."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def stated() -> dict[str, str]:
    """What each of the other files says."""
    return {name: re.findall(pattern, _read(name))[0][1] for name, pattern in PLACES.items()}


def main() -> None:
    """Write it."""
    for name, pattern in PLACES.items():
        (ROOT / name).write_text(re.sub(pattern, rf"\g<1>{version()}", _read(name), count=1), encoding="utf-8")


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
