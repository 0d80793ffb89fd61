"""What GDAL says when something goes wrong, in our one line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasterio._err import CPLE_BaseError  # raised by some calls as it is; rasterio has no public name for it
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from terrasift.errors import InputError

__all__ = ["gdal_errors"]


@contextmanager
def gdal_errors(path: object, what: str, mend: str = "check the file") -> Iterator[None]:
    """Turn GDAL's errors into an InputError about `path`; plain images without a geotransform are fine."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # plain images are welcome here
            yield
    except (RasterioError, CPLE_BaseError, OSError) as error:
        if not str(path).startswith("/vsi") and not Path(str(path)).exists() and "opened" in what:
            raise InputError(path, "does not exist", "check the path") from error
        reason = str(error.__cause__ or error).replace(f"{path}: ", "").rstrip(".")
        raise InputError(path, f"{what} ({reason})", mend) from error
