"""A run as one file that other programs execute: ONNX, or PyTorch's own exported program (docs/export.md)."""

from terrasift.exporting.comparison import Comparison
from terrasift.exporting.export import export_run
from terrasift.exporting.formats import METADATA, Program
from terrasift.exporting.networks import RawNetwork, TileNetwork

__all__ = ["METADATA", "Comparison", "Program", "RawNetwork", "TileNetwork", "export_run"]
