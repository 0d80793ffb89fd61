"""The Python interface: the rooms joined into what a user does."""

from terrasift.api.trained import Run, labelled_images
from terrasift.api.trainer import train

__all__ = ["Run", "labelled_images", "train"]
