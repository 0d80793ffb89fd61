"""What a study trains on, maps with and is scored on: Potsdam, or any labelled folder in its stead."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from terrasift.data.potsdam import POTSDAM, POTSDAM3, POTSDAM3_OF_POTSDAM, load_potsdam
from terrasift.errors import InputError
from terrasift.evaluation import LabelledImage, LabelView
from terrasift.legend import Legend
from terrasift.study.patches import cut_patches, random_split

__all__ = ["StudyData", "is_potsdam", "load_study_data"]

_Item = TypeVar("_Item")
_PUBLISHED_ON = ("potsdam", "potsdam3")


@dataclass(frozen=True)
class StudyData:
    """The images of a study.

    Attributes
    ----------
    train
        Images to train on; their labels, if any, are not used.
    mapped
        Those of them with labels, on which clusters are mapped to classes.
    tested
        The test set.
    legend
        The classes of the masks.
    views
        The data sets of the tables: the masks seen with all of their classes, or with fewer (Potsdam-3).
    changes
        What the data says about every recipe, by dotted keys.
    """

    train: tuple[str, ...]
    mapped: tuple[LabelledImage, ...]
    tested: tuple[LabelledImage, ...]
    legend: Legend
    views: dict[str, LabelView]
    changes: dict[str, Any] = field(default_factory=dict)

    def scaled(self, share: float, least: int) -> StudyData:
        """The same test set, but a seeded random share of the training images, `least` of them at least.

        Images with labels and without are drawn in proportion, so that there is always something to map with.
        """
        share = max(share, least / len(self.train))
        mapped = _draw(self.mapped, share)
        labelled = {image.scene for image in self.mapped}
        unlabelled = _draw([scene for scene in self.train if scene not in labelled], share)
        kept = {*(image.scene for image in mapped), *unlabelled}
        train = tuple(scene for scene in self.train if scene in kept)
        return StudyData(train, mapped, self.tested, self.legend, self.views, self.changes)


def _draw(items: Sequence[_Item], share: float) -> tuple[_Item, ...]:
    count = min(len(items), math.ceil(share * len(items)))
    drawn = np.sort(np.random.default_rng(0).permutation(len(items))[:count])
    return tuple(items[index] for index in drawn.tolist())


def is_potsdam(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has the prepared layout of Potsdam."""
    return (Path(folder) / "labelled_test.txt").exists()


def load_study_data(
    folder: str | os.PathLike[str], classes: str | os.PathLike[str] | None, patches: Path, side: int
) -> StudyData:
    """The images of a study.

    Parameters
    ----------
    folder
        Potsdam as `terrasift prepare potsdam` leaves it, or a folder with ``images`` and ``masks``.
    classes
        Names and colours of the classes; None: ``classes.yaml`` in the folder. Potsdam knows its own.
    patches
        Where the patches of a labelled folder go.
    side
        Their size, pixels.

    Raises
    ------
    InputError
        If it is neither.
    """
    folder = Path(folder)
    if is_potsdam(folder):
        return _potsdam(folder)
    if not (folder / "images").is_dir() or not (folder / "masks").is_dir():
        raise InputError(
            folder,
            "is neither Potsdam as prepared, nor a folder with images/ and masks/",
            "make the first with: terrasift prepare potsdam RAW --out DIR",
        )
    legend = Legend.load(classes or folder / "classes.yaml")
    train, test = random_split(cut_patches(folder, legend, patches, side))
    if not train or not test:
        raise InputError(folder, f"gives only {len(train) + len(test)} patches of {side} px", "add images")
    name = folder.resolve().name
    if name in _PUBLISHED_ON:  # the study's figures are not for this data
        name = f"{name} (own)"
    return StudyData(
        tuple(image.scene for image in train), tuple(train), tuple(test), legend, {name: LabelView.whole(legend)}
    )


def _potsdam(folder: Path) -> StudyData:
    found = load_potsdam(folder)
    views = {
        "potsdam": LabelView.whole(POTSDAM),
        "potsdam3": LabelView(tuple(POTSDAM3.names), POTSDAM3_OF_POTSDAM),
    }

    def labelled(images: Sequence[str]) -> tuple[LabelledImage, ...]:
        return tuple(LabelledImage(image, found.masks / Path(image).name) for image in images)

    return StudyData(
        (*found.labelled_train, *found.unlabelled_train),
        labelled(found.labelled_train),
        labelled(found.labelled_test),
        POTSDAM,
        views,
        {"bands": [1, 2, 3]},  # RGB; RGBIR by --set bands=[1,2,3,4]
    )
