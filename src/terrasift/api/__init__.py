"""The Python interface: the rooms joined into what a user does."""

from terrasift.api.discovering import discover
from terrasift.api.evaluating import labelled_images
from terrasift.api.trained import Run
from terrasift.api.trainer import train

__all__ = ["Run", "discover", "labelled_images", "train"]
