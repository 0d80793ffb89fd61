"""Legends: what the classes are called, how they are drawn, and which clusters each one holds."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from terrasift.errors import InputError, some_of
from terrasift.files import write_text
from terrasift.legend.colours import distinct_colors, parse_color
from terrasift.legend.land_class import IGNORE, LandClass, spans
from terrasift.legend.reading import check_content, read_legend
from terrasift.notebook import data_frame, html_table, swatch

if TYPE_CHECKING:
    import pandas

__all__ = ["Legend"]


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
    taught
        Which taught classifier of a run has the outputs that the classes hold, in place of clusters; "" for none.
    weights
        Digest of the weights whose clusters the classes hold: another network's clusters mean something else. "" where
        nobody says.

    Examples
    --------
    >>> Legend((LandClass("road", "#6EC1E4", (0, 3)), LandClass("water", "#0B3C7A", (1,))))
    Legend(2 classes of 3 clusters: road, water)
    """

    classes: tuple[LandClass, ...]
    ignore: tuple[str, ...] = ()
    classifier: int = 1
    taught: str = ""
    weights: str = field(default="", compare=False)

    def __repr__(self) -> str:
        clusters = sum(len(entry.clusters) for entry in self.classes)
        return f"Legend({len(self.classes)} classes of {clusters} clusters: {some_of(self.names, 6)})"

    def _repr_html_(self) -> str:
        rows = [(index, swatch(entry.color), entry.name, spans(entry.clusters)) for index, entry in self._numbered]
        return html_table("Legend", rows, ("class", "", "name", "clusters"))

    def to_frame(self) -> pandas.DataFrame:
        """A row for each class, by its index: name, colour, clusters."""
        return data_frame(
            {
                "class": [index for index, _ in self._numbered],
                "name": self.names,
                "color": [entry.color for entry in self.classes],
                "clusters": [entry.clusters for entry in self.classes],
            },
            "class",
        )

    @property
    def _numbered(self) -> list[tuple[int, LandClass]]:
        return list(enumerate(self.classes))

    @classmethod
    def load(cls, path: str | os.PathLike[str], clusters: int | None = None, classifiers: int | None = None) -> Legend:
        """Read a YAML file with `classes` (name, color, clusters), and optionally `ignore` and `classifier`.

        Parameters
        ----------
        path
            The file.
        clusters, classifiers
            How many there are, if the legend is for a network; else it may hold any.

        Raises
        ------
        InputError
            If the file is missing or is not such a legend; the error names the line and the entry that is wrong.
        """
        return cls(*read_legend(path, clusters, classifiers))

    @classmethod
    def of(cls, classes: Legend | str | os.PathLike[str]) -> Legend:
        """The legend itself, or that of a file; errors as for `load`."""
        return classes if isinstance(classes, Legend) else cls.load(classes)

    @classmethod
    def from_content(cls, where: object, content: Any) -> Legend:
        """A legend from what such a file holds, with the same checks; `where` begins the line of an error."""
        return cls(*check_content(where, content))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the YAML file that `load` reads, whole or not at all."""
        lines = ["# Class names, colours and the clusters each class holds; edit freely."]
        lines.append(f"classifier: {self.classifier}")
        if self.weights:
            lines.append(f"weights: {json.dumps(self.weights)}  # whose clusters these are")
        if self.taught:
            lines.append(f"taught: {json.dumps(self.taught)}  # by labels: its outputs stand for clusters")
        lines.append("classes:")
        for entry in self.classes:
            content = {"name": entry.name, "color": entry.color, "clusters": list(entry.clusters)}
            lines.append(f"  - {_one_line(content, escape=not entry.name.isprintable())}")
        lines.append(f"ignore: {_one_line(list(self.ignore))}")
        write_text(path, "\n".join(lines) + "\n")

    @classmethod
    def of_clusters(cls, clusters: int) -> Legend:
        """The legend of a run that nobody has mapped: each cluster is a class of its own."""
        colors = distinct_colors(clusters)
        return cls(tuple(LandClass(f"cluster {k}", color, (k,)) for k, color in enumerate(colors)))

    def with_clusters(self, mapping: NDArray[np.integer[Any]], classifier: int) -> Legend:
        """The same classes, holding the clusters that `mapping` (K,), cluster to class, gives them."""
        classes = tuple(
            dataclasses.replace(entry, clusters=tuple(np.flatnonzero(mapping == index).tolist()))
            for index, entry in enumerate(self.classes)
        )
        return dataclasses.replace(self, classes=classes, classifier=classifier, taught="")

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
        return np.array([parse_color(entry.color) for entry in self.classes], np.uint8).reshape(-1, 3)

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
            what = f"has colours that the classes file does not name: {some_of(unknown)}"
            raise InputError(where, what, "name them, or list them under ignore")
        table = np.array([index_of[value] for value in present.tolist()], np.uint8)
        return table[inverse].reshape(key.shape)


def _key_of(color: str) -> int:
    return int(color[1:], 16)


def _key(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    wide = rgb.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _one_line(content: Any, *, escape: bool = False) -> str:
    text = yaml.safe_dump(content, default_flow_style=True, sort_keys=False, allow_unicode=not escape, width=10**9)
    return str(text).strip()
