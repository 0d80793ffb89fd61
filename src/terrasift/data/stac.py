"""STAC items as images: which of their assets are meant, and where these are. Nothing is downloaded or signed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrasift.errors import InputError, check_installed
from terrasift.files import read_json
from terrasift.raster import Bands, is_elsewhere

__all__ = ["Item", "is_item", "is_item_file", "items_in", "items_of"]

_JSON, _PARQUET = (".json", ".geojson"), (".parquet", ".geoparquet")


def is_item_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is named as files of STAC items are: JSON, or GeoParquet as of stac-geoparquet."""
    return Path(path).suffix.lower() in (*_JSON, *_PARQUET) and Path(path).is_file()


def is_item(value: object) -> bool:
    """Whether this is an item or a collection of items: of pystac, or the dictionary of one."""
    content = value if isinstance(value, Mapping) else getattr(value, "to_dict", None)
    return callable(content) or (isinstance(content, Mapping) and ("assets" in content or "features" in content))


def items_of(value: Any, name: str = "item") -> list[Item]:
    """The items of an item or a collection: of pystac, or the dictionary of one; InputError if it is none."""
    content = value if isinstance(value, Mapping) else value.to_dict()
    return _items(content, name, "")


def items_in(path: str | os.PathLike[str]) -> list[Item]:
    """The items of a file.

    Parameters
    ----------
    path
        JSON with an item or a collection of items; or GeoParquet with an item in each row and the assets in a column
        ``assets``, as stac-geoparquet writes it. Relative hrefs are relative to its folder.

    Raises
    ------
    InputError
        If it is neither.
    SettingError
        If pyarrow is not installed.
    """
    folder = str(Path(path).absolute().parent)
    if Path(path).suffix.lower() in _JSON:
        return _items(read_json(path, mend=_MEND), str(path), folder)
    check_installed(str(path), "stac", "pyarrow")
    from pyarrow import ArrowException, parquet

    try:
        rows = parquet.read_table(path, columns=["id", "assets"]).to_pylist()
    except (ArrowException, OSError) as error:
        raise InputError(path, f"is not a GeoParquet of STAC items ({error})", _MEND) from error
    if not rows or set(rows[0]) != {"id", "assets"}:
        raise InputError(path, "has no items with `id` and `assets`", _MEND)
    return [item for row in rows for item in _items(row, str(path), folder)]


_MEND = "give an item or a collection of items, as a STAC API answers"


@dataclass(frozen=True)
class Item:
    """A STAC item, as far as images go.

    Attributes
    ----------
    name
        Its id.
    assets
        By their keys.
    folder
        What relative hrefs are relative to; "" where that is not known.
    """

    name: str
    assets: Mapping[str, Mapping[str, Any]]
    folder: str

    def planes(self, bands: Bands | None) -> str | dict[str, str]:
        """The paths of the assets that bands name, by these names; of the item's only image where they name none.

        A name is an asset's key, or what the item calls the asset's only band (``eo:bands``: `common_name` or `name`).

        Raises
        ------
        InputError
            If there is no such asset, or several images and no names.
        """
        names = [band for band in bands or () if isinstance(band, str)]
        keys = {name: self._key(name) for name in names}
        if names and len(names) == len(bands or ()) and all(keys.values()):
            return {name: self._path(key) for name, key in keys.items() if key is not None}
        images = [key for key, asset in self.assets.items() if _is_image(asset)]
        if len(images) == 1:
            return self._path(images[0])
        listed = ", ".join(sorted(self.assets)) or "none"
        missing = next((name for name, key in keys.items() if key is None), None)
        what = f"has no asset {missing}" if missing else f"has {len(images)} images, and no band says which"
        raise InputError(f"item {self.name}", what, f"name assets: `bands=[...]`; its assets are {listed}")

    def _key(self, name: str) -> str | None:
        if name in self.assets:
            return name
        found = [key for key, asset in self.assets.items() if name in _band_names(asset)]
        return found[0] if len(found) == 1 else None

    def _path(self, key: str) -> str:
        """Where an asset is, as GDAL says it."""
        href = self.assets[key].get("href")
        if not isinstance(href, str) or not href:
            raise InputError(f"item {self.name}", f"asset {key} has no href", _MEND)
        if not is_elsewhere(href) and not Path(href).is_absolute():
            if not self.folder:
                what = f"asset {key} is at {href}, relative to nothing"
                raise InputError(f"item {self.name}", what, "make its hrefs absolute, or name the file of the item")
            joined = f"{self.folder}/{href.removeprefix('./')}"
            href = joined if is_elsewhere(joined) else os.path.normpath(joined)
        for scheme, prefix in _SCHEMES.items():
            if href.startswith(scheme):
                return prefix + (href if prefix == "/vsicurl/" else href.removeprefix(scheme))
        return href


_SCHEMES = {
    "http://": "/vsicurl/",
    "https://": "/vsicurl/",
    "s3://": "/vsis3/",
    "gs://": "/vsigs/",
    "file://": "",
}


def _is_image(asset: Mapping[str, Any]) -> bool:
    roles, kind = asset.get("roles") or (), str(asset.get("type") or "")
    return "data" in roles or (not roles and (kind.startswith("image/tiff") or kind == "image/jp2"))


def _band_names(asset: Mapping[str, Any]) -> set[str]:
    """What an asset of one band calls it."""
    bands: Sequence[Mapping[str, Any]] = asset.get("eo:bands") or asset.get("bands") or []
    if len(bands) != 1:
        return set()
    return {str(bands[0][key]) for key in ("common_name", "eo:common_name", "name") if bands[0].get(key)}


def _items(content: Any, where: str, folder: str) -> list[Item]:
    if not isinstance(content, Mapping):
        raise InputError(where, "is not a STAC item", _MEND)
    features = content.get("features")
    if isinstance(features, Sequence):
        if not features:
            raise InputError(where, "is a collection without items", _MEND)
        return [item for feature in features for item in _items(feature, where, folder)]
    assets = content.get("assets")
    if not isinstance(assets, Mapping) or not content.get("id"):
        raise InputError(where, "is not a STAC item: it has no `id` or no `assets`", _MEND)
    links = [link for link in content.get("links") or () if link.get("rel") == "self"]
    if not folder and links:
        folder = str(links[0].get("href", "")).rpartition("/")[0]
    known = {key: asset for key, asset in assets.items() if asset}  # a table has every key in each row
    return [Item(str(content["id"]), known, folder)]
