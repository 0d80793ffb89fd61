"""Legends: what the classes are called, how they are drawn, and which clusters each one holds."""

from __future__ import annotations

import colorsys
import dataclasses
import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from terrasift.errors import InputError
from terrasift.files import write_text

__all__ = ["IGNORE", "LandClass", "Legend"]

IGNORE = 255
"""The label of pixels that count nowhere, in uint8 label maps."""

_MOST_CLASSES = 65535


@dataclass(frozen=True)
class LandClass:
    """One class: its name, its colour as ``#RRGGBB``, and the clusters that belong to it."""

    name: str
    color: str
    clusters: tuple[int, ...] = ()


@dataclass(frozen=True)
class Legend:
    """The classes of a label map in the order of their indices.

    Attributes
    ----------
    classes
        At most 255 to read masks with, 65535 in all; the position of a class is its index.
    ignore
        Colours (``#RRGGBB``) of mask pixels that count nowhere.
    classifier
        The classifier, 1 or 2, whose clusters the classes hold.
    """

    classes: tuple[LandClass, ...]
    ignore: tuple[str, ...] = ()
    classifier: int = 1

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Legend:
        """Read a YAML file with `classes` (name, color, clusters), and optionally `ignore` and `classifier`.

        Raises
        ------
        InputError
            If the file is missing or is not such a legend; the line says which entry is wrong.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            content = yaml.safe_load(text)
        except OSError as error:
            raise InputError(path, f"cannot be read ({error.strerror})", "name a classes file") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(path, f"is not YAML ({error})") from error
        return _from_content(path, content)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the YAML file that `load` reads, whole or not at all."""
        lines = ["# Class names, colours and the clusters each class holds; edit freely."]
        lines.append(f"classifier: {self.classifier}")
        lines.append("classes:")
        for entry in self.classes:
            content = {"name": entry.name, "color": entry.color, "clusters": list(entry.clusters)}
            lines.append(f"  - {_one_line(content, escape=not entry.name.isprintable())}")
        lines.append(f"ignore: {_one_line(list(self.ignore))}")
        write_text(path, "\n".join(lines) + "\n")

    @classmethod
    def of_clusters(cls, clusters: int) -> Legend:
        """The legend of a run that nobody has mapped: each cluster is a class of its own."""
        colors = _distinct_colors(clusters)
        return cls(tuple(LandClass(f"cluster {k}", color, (k,)) for k, color in enumerate(colors)))

    def with_clusters(self, mapping: NDArray[np.integer[Any]], classifier: int) -> Legend:
        """The same classes, holding the clusters that `mapping` (K,), cluster to class, gives them."""
        classes = tuple(
            dataclasses.replace(entry, clusters=tuple(np.flatnonzero(mapping == index).tolist()))
            for index, entry in enumerate(self.classes)
        )
        return dataclasses.replace(self, classes=classes, classifier=classifier)

    def mapping(self, clusters: int) -> NDArray[np.int64]:
        """Class of each cluster, (clusters,); clusters that no class holds get -1.

        Raises
        ------
        InputError
            If a class holds a cluster that does not exist.
        """
        mapping = np.full(clusters, -1, np.int64)
        for index, entry in enumerate(self.classes):
            wrong = [cluster for cluster in entry.clusters if cluster >= clusters]
            if wrong:
                raise InputError(
                    f"legend: {entry.name}", f"holds cluster {wrong[0]}", f"the clusters are 0 to {clusters - 1}"
                )
            mapping[list(entry.clusters)] = index
        return mapping

    def table(self, clusters: int) -> NDArray[np.int64]:
        """What a class map stores for each cluster, (clusters,): its class, or `nodata` if no class holds it."""
        table = self.mapping(clusters)
        table[table < 0] = self.nodata
        return table

    @property
    def nodata(self) -> int:
        """What a class map stores where there is no class: 255, or 65535 with more than 255 classes."""
        return int(np.iinfo(self.dtype).max)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a class map: uint8, or uint16 with more than 255 classes."""
        return np.dtype(np.uint16 if len(self.classes) > IGNORE else np.uint8)

    @property
    def names(self) -> list[str]:
        """Class names in the order of their indices."""
        return [entry.name for entry in self.classes]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """Class colours, (C, 3)."""
        return np.array([_parse(entry.color) for entry in self.classes], np.uint8).reshape(-1, 3)

    def indices(self, rgb: NDArray[np.uint8], where: object = "mask") -> NDArray[np.uint8]:
        """Class indices of a mask painted in the classes' colours.

        Parameters
        ----------
        rgb
            (..., 3), uint8.
        where
            What the mask is, for the error.

        Returns
        -------
        ndarray
            (...), uint8; `IGNORE` where the colour is one of `ignore`.

        Raises
        ------
        InputError
            If the mask holds colours that the legend does not name; the line lists them.
        """
        key = _key(rgb)
        present, inverse = np.unique(key, return_inverse=True)
        index_of = {_key_of(color): IGNORE for color in self.ignore}
        index_of |= {_key_of(entry.color): index for index, entry in enumerate(self.classes)}
        unknown = [f"#{value:06X}" for value in present.tolist() if value not in index_of]
        if unknown:
            listed = ", ".join(unknown[:8]) + (f" and {len(unknown) - 8} more" if len(unknown) > 8 else "")
            raise InputError(
                where,
                f"has colours that the classes file does not name: {listed}",
                "name them, or list them under ignore",
            )
        table = np.array([index_of[value] for value in present.tolist()], np.uint8)
        return table[inverse].reshape(key.shape)


def _from_content(path: object, content: Any) -> Legend:
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list) or not content["classes"]:
        raise InputError(path, "has no list 'classes'", 'write one line for each: - {name: road, color: "#808080"}')
    unknown = sorted(map(str, set(content) - {"classes", "ignore", "classifier"}))
    if unknown:
        raise InputError(path, f"has unknown keys: {', '.join(unknown)}", "allowed are classes, ignore, classifier")
    if len(content["classes"]) > _MOST_CLASSES:
        raise InputError(path, f"has {len(content['classes'])} classes", f"a class map holds at most {_MOST_CLASSES}")
    classes = tuple(_class(f"{path}: classes[{i}]", entry) for i, entry in enumerate(content["classes"]))
    ignore = content.get("ignore") or []
    if not isinstance(ignore, list):
        raise InputError(f"{path}: ignore", "is not a list", 'write ignore: ["#000000"]')
    ignored = tuple(_color(f"{path}: ignore[{i}]", color) for i, color in enumerate(ignore))
    classifier = content.get("classifier", 1)
    if type(classifier) is not int or classifier not in (1, 2):
        raise InputError(f"{path}: classifier", f"is {classifier!r}", "allowed are 1 and 2")
    _check_distinct(path, classes, ignored)
    return Legend(classes, ignored, classifier)


def _class(where: str, entry: Any) -> LandClass:
    if not isinstance(entry, dict) or not {"name", "color"} <= set(entry) <= {"name", "color", "clusters"}:
        raise InputError(
            where, "is not a class", 'write {name: road, color: "#808080"}, with clusters: [0, 5] if known'
        )
    clusters = entry.get("clusters") or []
    if not isinstance(clusters, list) or not all(type(k) is int and k >= 0 for k in clusters):
        raise InputError(f"{where}.clusters", "is not a list of cluster numbers", "write clusters: [0, 5]")
    return LandClass(str(entry["name"]), _color(f"{where}.color", entry["color"]), tuple(clusters))


def _color(where: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        raise InputError(where, f"{value!r} is not a colour", 'write it as "#RRGGBB", in quotes')
    return value.upper()


def _check_distinct(path: object, classes: Sequence[LandClass], ignored: Sequence[str]) -> None:
    checks: dict[str, list[str]] = {
        "name": [entry.name for entry in classes],
        "colour": [*(entry.color for entry in classes), *ignored],
        "cluster": [str(cluster) for entry in classes for cluster in entry.clusters],
    }
    for what, values in checks.items():
        twice = sorted(value for value, count in Counter(values).items() if count > 1)
        if twice:
            raise InputError(path, f"names one {what} twice: {', '.join(twice)}", f"give every {what} to one class")


def _parse(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _key_of(color: str) -> int:
    return int(color[1:], 16)


def _key(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    wide = rgb.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _one_line(content: Any, *, escape: bool = False) -> str:
    text = yaml.safe_dump(content, default_flow_style=True, sort_keys=False, allow_unicode=not escape, width=10**9)
    return str(text).strip()


def _distinct_colors(count: int) -> list[str]:
    found: dict[str, None] = {}
    for index in itertools.count():
        if len(found) == count:
            break
        found[_spread_color(index)] = None
    return list(found)


def _spread_color(index: int) -> str:
    hue = (index * 0.618033988749895) % 1.0  # the golden ratio spreads any number of hues evenly
    lightness = (0.45, 0.62, 0.33)[index % 3]
    saturation = 0.65 + 0.3 * math.sin(index // 256)  # hues come close to one another after some hundreds
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
