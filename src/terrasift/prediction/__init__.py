"""A trained network over a scene of any size, window by window."""

from __future__ import annotations

from terrasift.prediction.beside import WithSurroundings
from terrasift.prediction.dask_workers import DaskPredictor
from terrasift.prediction.deciding import Look
from terrasift.prediction.lazy import lazy_labels
from terrasift.prediction.maps import check_nothing_there, map_paths, names_apart, predict_scene
from terrasift.prediction.options import MapOptions, Wanted
from terrasift.prediction.own_grid import AtResolution
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.probabilities import predict_probabilities
from terrasift.prediction.tensors import TensorReader
from terrasift.prediction.timed import TimedSegmenter
from terrasift.prediction.whole import class_map, cluster_maps
from terrasift.prediction.windows import ClusterWindow, Segmenter, Views, scene_views

__all__ = [
    "AtResolution",
    "ClusterWindow",
    "DaskPredictor",
    "Look",
    "MapOptions",
    "Predictor",
    "Segmenter",
    "TensorReader",
    "TimedSegmenter",
    "Views",
    "Wanted",
    "WithSurroundings",
    "check_nothing_there",
    "class_map",
    "cluster_maps",
    "lazy_labels",
    "map_paths",
    "names_apart",
    "predict_probabilities",
    "predict_scene",
    "scene_views",
]
