"""A trained network over a scene of any size, window by window."""

from __future__ import annotations

from terrasift.prediction.cluster import ClusterPredictor
from terrasift.prediction.deciding import Look
from terrasift.prediction.maps import check_nothing_there, map_paths, predict_scene
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.tensors import TensorReader
from terrasift.prediction.timed import TimedSegmenter
from terrasift.prediction.windows import ClusterWindow, Segmenter, Views, scene_views

__all__ = [
    "ClusterPredictor",
    "ClusterWindow",
    "Look",
    "Predictor",
    "Segmenter",
    "TensorReader",
    "TimedSegmenter",
    "Views",
    "check_nothing_there",
    "map_paths",
    "on_own_grid",
    "predict_scene",
    "scene_views",
]
