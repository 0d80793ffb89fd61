"""Names of the choices that blocks and the rooms above them offer, apart from the code, which takes long to import."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "BUILT_IN_EXTRACTORS",
    "Augmentation",
    "ClassWeights",
    "LearningRateSchedule",
    "Mapping",
    "MappingMethod",
    "Optimizer",
    "PredictionContext",
    "PredictionSpeed",
    "Reduction",
    "RefinementMethod",
    "RegionsSeen",
    "SuperpixelMethod",
    "TargetsFrom",
]

Augmentation = Literal["none", "flips", "geometric", "colour", "both"]
"""What is changed at random about each patch before a training step (`blocks.augmentation`)."""

ClassWeights = Literal["balanced", "median_frequency", "none"]
"""How the weights of the weighted cross-entropy follow from the labels of a batch (`blocks.losses`)."""

BUILT_IN_EXTRACTORS = ("kan", "seek", "dic", "dictionary")
"""Names in `blocks.extractors.EXTRACTORS` from the start."""

LearningRateSchedule = Literal["exponential", "cosine", "constant", "one_cycle"]
"""How the learning rate goes from its first value to its last, step by step (`training`)."""

Optimizer = Literal["adam", "adamw", "muon"]
"""What makes the gradient steps (`training`)."""

PredictionContext = Literal["scene", "patch"]
"""What global operations see when a scene is predicted (`blocks.context`): with ``scene`` the map does not depend on
the windows; ``patch`` is how the network was trained, and how the study predicts."""

PredictionSpeed = Literal["plain", "fast", "bfloat16"]
"""How a trained network computes on a CPU (`prediction.acceleration`)."""

Reduction = Literal["mean", "sum"]
"""Over the pixels of a batch (`blocks.losses.mumford_shah_loss`)."""

TargetsFrom = Literal["self", "contrast"]
"""What a network learns: its own refined labels, as in the study, or discovered clusters (`discovery`)."""

SuperpixelMethod = Literal["slic", "opencv_slic", "felzenszwalb", "none"]
"""Ways to cut an image into regions; with ``none`` every pixel is a region of its own (`blocks.superpixels`)."""

RefinementMethod = Literal["slic", "opencv_slic", "felzenszwalb", "external", "precomputed", "none"]
"""Where the regions of the class refinement come from: superpixels, the classes of the external algorithm, or a folder
of label rasters that any other segmenter has written."""

MappingMethod = Literal["majority", "hungarian"]
"""``majority``: many clusters to one class; ``hungarian``: one to one."""

Mapping = Literal["majority", "hungarian", "legend"]
"""How a run is scored: mapped by a `MappingMethod`, or as its own ``legend`` maps it already."""

RegionsSeen = Literal["classes", "clusters"]
"""What the region metrics of a segmentation see: the mapped classes, as the study does, or the raw clusters."""
