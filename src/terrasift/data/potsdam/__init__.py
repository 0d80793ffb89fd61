"""ISPRS Potsdam: from the tiles as they are given out to patches, and the patches as they are widely prepared."""

from terrasift.data.potsdam.classes import POTSDAM, POTSDAM3, POTSDAM3_OF_POTSDAM
from terrasift.data.potsdam.layout import PotsdamData, load_potsdam
from terrasift.data.potsdam.prepare import prepare_potsdam

__all__ = ["POTSDAM", "POTSDAM3", "POTSDAM3_OF_POTSDAM", "PotsdamData", "load_potsdam", "prepare_potsdam"]
