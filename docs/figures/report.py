"""Draw docs/images/report.png, the top of a run's report, with Chromium: python docs/figures/report.py RUN OUT

RUN is a run that was evaluated, say that of docs/tutorial.md.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from terrasift import Run

WIDTH, HEIGHT = 1280, 2330  # CSS pixels: samples and scores
SHOWN = 960  # pixels


def main(run: Path, out: Path) -> None:
    """Draw the picture."""
    page = Run.open(run).report()
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}"]
        options += [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]
        subprocess.run(["chromium", *options, page.resolve().as_uri()], check=True, capture_output=True)
        picture = Image.open(io.BytesIO(shot.read_bytes())).convert("RGB")
    small = picture.resize((SHOWN, round(SHOWN * HEIGHT / WIDTH)), Image.Resampling.LANCZOS)
    small.quantize(192).save(out, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
