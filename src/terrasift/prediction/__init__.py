"""A trained network over a scene of any size, window by window."""

from __future__ import annotations

from terrasift.prediction.maps import map_paths, predict_scene
from terrasift.prediction.predictor import Predictor, check_array
from terrasift.prediction.windows import ClusterWindow, Segmenter, Views, scene_views

__all__ = [
    "ClusterWindow",
    "Predictor",
    "Segmenter",
    "Views",
    "check_array",
    "map_paths",
    "predict_scene",
    "scene_views",
]
