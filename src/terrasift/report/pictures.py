"""Pictures for pages: arrays and figures as data URIs, which an <img> shows without another file."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Picture", "embed_array", "embed_figure", "embed_photo"]


class Picture(NamedTuple):
    """A picture, and in words what it shows; no picture where there is nothing to show."""

    uri: str
    alt: str


def embed_array(rgb: NDArray[np.uint8]) -> str:
    """(H, W, 3) as PNG, every pixel as it is."""
    buffer = io.BytesIO()
    imsave(buffer, rgb, format="png")
    return _uri(buffer, "png")


def embed_photo(rgb: NDArray[np.uint8], quality: int = 88) -> str:
    """(H, W, 3) as JPEG, a tenth of the size."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="JPEG", quality=quality, optimize=True)
    return _uri(buffer, "jpeg")


def embed_figure(figure: Figure, dpi: int = 110) -> str:
    """A figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return _uri(buffer, "png")


def _uri(buffer: io.BytesIO, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
