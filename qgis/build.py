"""Pack the plugin for QGIS: `python qgis/build.py FOLDER` writes terrasift.zip there, the same for the same files."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

PLUGIN = Path(__file__).with_name("terrasift")
SUFFIXES = {".py", ".txt", ".svg", ".qm", ""}


def build(folder: Path) -> Path:
    """Write the zip: stored, for compression differs between versions of zlib, and with one date for all files."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terrasift.zip"
    files = sorted(file for file in PLUGIN.rglob("*") if file.is_file() and file.suffix in SUFFIXES)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(PLUGIN.parent).as_posix(), (2020, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    return path


if __name__ == "__main__":
    print(
        f"wrote {build(Path(sys.argv[1]))}: QGIS installs it (Plugins > Manage and Install Plugins > Install from ZIP)"
    )
