"""Names of the choices that each block offers, apart from the code behind them, which takes long to import."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "Augmentation",
    "ClassWeights",
    "LearningRateSchedule",
    "Optimizer",
    "PredictionContext",
    "PredictionSpeed",
    "Reduction",
    "RefinementMethod",
    "SuperpixelMethod",
    "Targets",
]

Augmentation = Literal["none", "flips", "geometric", "colour", "both"]
"""What is changed at random about each patch before a training step (`blocks.augmentation`)."""

ClassWeights = Literal["balanced", "median_frequency", "none"]
"""How the weights of the weighted cross-entropy follow from the labels of a batch (`blocks.losses`)."""

LearningRateSchedule = Literal["exponential", "cosine", "constant", "one_cycle"]
"""How the learning rate goes from its first value to its last, step by step (`training`)."""

Optimizer = Literal["adam", "adamw"]
"""What makes the gradient steps (`training`)."""

PredictionContext = Literal["scene", "patch"]
"""What global operations see when a scene is predicted (`blocks.context`): with ``scene`` the map does not depend on
the windows; ``patch`` is how the network was trained, and how the study predicts."""

PredictionSpeed = Literal["plain", "fast", "bfloat16"]
"""How a trained network computes on a CPU (`prediction.acceleration`)."""

Reduction = Literal["mean", "sum"]
"""Over the pixels of a batch (`blocks.losses.mumford_shah_loss`)."""

Targets = Literal["self", "contrast"]
"""What a network learns: its own refined labels, as in the study, or discovered clusters (`discovery`)."""

SuperpixelMethod = Literal["slic", "opencv_slic", "felzenszwalb", "none"]
"""Ways to cut an image into regions; with ``none`` every pixel is a region of its own (`blocks.superpixels`)."""

RefinementMethod = Literal["slic", "opencv_slic", "felzenszwalb", "external", "precomputed", "none"]
"""Where the regions of the class refinement come from: superpixels, the classes of the external algorithm, or a folder
of label rasters that any other segmenter has written."""
