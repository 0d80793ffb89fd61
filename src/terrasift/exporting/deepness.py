"""What the QGIS plugin Deepness (PUTvision) executes: one square tile in, likelihoods of classes out.

Its documentation, "Model classes and requirements" and "Adding metadata to ONNX model", says what a segmentation model
is, and which properties of the file fill in the plugin's form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram

from terrasift.errors import SettingError
from terrasift.exporting.comparison import Outputs
from terrasift.exporting.formats import METADATA, Format, execute_onnx, traced, write_onnx
from terrasift.exporting.networks import RawNetwork, TileNetwork
from terrasift.recipe import Scaling

__all__ = ["DeepnessFormat", "overlap_percent"]

_NO_CLASS = "no class"


class DeepnessFormat(Format):
    """ONNX with a fixed tile: 8 bits as [0, 1] in, likelihoods of classes out, and the properties of the form.

    Raises
    ------
    SettingError
        If no overlap of tiles leaves out what a tile alone cannot know.
    """

    suffix = ".onnx"
    packages = ("onnx", "onnxscript", "onnxruntime")
    may_be_invalid = False  # the plugin hands over bytes: there is no such thing

    def __init__(self, raw: RawNetwork, metadata: dict[str, Any]) -> None:
        super().__init__(raw, metadata)
        alignment = metadata["alignment"]
        self.side = metadata["window"] // alignment * alignment
        self.overlap = overlap_percent(self.side, metadata["margin"], alignment)
        self.sizes = ((1, self.side, self.side),)
        self.names = [entry["name"] for entry in metadata["classes"]]
        self.clusters = [entry["clusters"] for entry in metadata["classes"]]
        left_out = np.flatnonzero(raw.table.numpy() == raw.nodata)
        if len(left_out):
            self.names.append(_NO_CLASS)
            self.clusters.append(tuple(left_out.tolist()))

    @classmethod
    def check(cls, scaling: Scaling) -> None:
        """And that the run was trained on 8 bits: the plugin knows nothing else."""
        super().check(scaling)
        if scaling.dtype != "uint8":
            raise SettingError(
                "program",
                f"Deepness hands over 8 bits a band, and the run was trained on {scaling.dtype}",
                "export it for onnx or torch",
            )

    def trace(self) -> ExportedProgram:
        """With a fixed size: the plugin takes the tile's side from it, and wants squares."""
        return traced(TileNetwork(self.raw, self.clusters), torch.zeros(1, len(self.raw.low), self.side, self.side))

    def write(self, program: ExportedProgram, path: Path) -> None:
        """With the plugin's properties beside our own metadata."""
        properties = {name: json.dumps(value, ensure_ascii=False) for name, value in self.properties.items()}
        write_onnx(program, path, ["classes"], properties | {METADATA: self.document})

    @property
    def properties(self) -> dict[str, Any]:
        """What the plugin reads, ready for JSON."""
        metres = self.metadata["resolution"] or self.metadata["ground_sampling"]
        return {
            "model_type": "Segmentor",
            "class_names": dict(enumerate(self.names)),
            **({"resolution": round(100 * metres, 6)} if metres else {}),  # centimetres
            "tile_size": self.side,  # the name that the plugin reads
            "tiles_size": self.side,  # the name that its documentation gives
            "tiles_overlap": self.overlap,
            "seg_thresh": 0,  # the likeliest class, however likely
            "seg_small_segment": 0,  # no blurring of the map
        }

    def execute(self, path: Path, values: NDArray[Any], valid: NDArray[np.bool_]) -> Outputs:
        """As the plugin does."""
        images = np.ascontiguousarray(np.moveaxis(values, 3, 1)).astype(np.float32) / np.float32(255)
        (likelihoods,) = execute_onnx(path, images)
        return Outputs([likelihoods], likelihoods.argmax(axis=1))

    def expect(self, logits: list[NDArray[np.float32]], valid: NDArray[np.bool_]) -> Outputs:
        """By NumPy alone."""
        chosen = logits[self.raw.classifier - 1]
        class_of = np.where(self.raw.table.numpy() == self.raw.nodata, len(self.names) - 1, self.raw.table.numpy())
        best = np.stack([chosen[:, class_of == index].max(axis=1, initial=-np.inf) for index in range(len(self.names))])
        odds = np.exp(best - best.max(axis=0))
        return Outputs([np.moveaxis(odds / odds.sum(axis=0), 0, 1)], class_of[chosen.argmax(axis=1)])


def overlap_percent(side: int, margin: int, alignment: int) -> int:
    """The smallest overlap of tiles, in whole per cent, of which half holds the margin, in aligned steps.

    Parameters
    ----------
    side
        Rows and columns of a tile.
    margin
        Pixels at each edge that are not what they are in the whole scene.
    alignment
        Tiles have to start at multiples of it.

    Raises
    ------
    SettingError
        If there is none below 100.

    Examples
    --------
    >>> overlap_percent(512, 32, 1), overlap_percent(512, 32, 4)
    (13, 15)
    """
    for percent in range(100):
        step = side - side * percent // 100  # as the plugin counts
        if (side - step) // 2 >= margin and step % alignment == 0:
            return percent
    raise SettingError(
        "predict.window", f"{side} leaves nothing of a tile whose margin is {margin}", "make it larger: the tile's side"
    )
