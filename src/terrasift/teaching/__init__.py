"""A few labelled points or polygons to classes of a trained network."""

from __future__ import annotations

from terrasift.teaching.kept import read_labels_of_run
from terrasift.teaching.labels import Label, Labels
from terrasift.teaching.reading import read_label_file
from terrasift.teaching.suggesting import suggest_points
from terrasift.teaching.teach import Taught, teach
from terrasift.teaching.writing import MapPoint, check_points_path, write_points

__all__ = [
    "Label",
    "Labels",
    "MapPoint",
    "Taught",
    "check_points_path",
    "read_label_file",
    "read_labels_of_run",
    "suggest_points",
    "teach",
    "write_points",
]
