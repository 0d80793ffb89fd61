"""The prepared layout: ``imgs/N.mat``, ``gt/N.mat`` and three lists of ids, one a line, whoever made them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrasift.errors import InputError
from terrasift.files import read_text, write_text

__all__ = ["IMAGES", "LISTS", "MASKS", "PotsdamData", "load_potsdam", "write_lists"]

IMAGES, MASKS = "imgs", "gt"
LISTS = ("unlabelled_train", "labelled_train", "labelled_test")

_TEST, _LABELLED = 855, 5400  # of so many labelled patches, so many are for the test


@dataclass(frozen=True)
class PotsdamData:
    """The patches of a prepared folder; images are paths, in the order of the lists.

    Attributes
    ----------
    unlabelled_train
        Images without labels.
    labelled_train
        Images with labels that are not for the test.
    labelled_test
        Images of the test set.
    masks
        The folder of the labels, named as the images are: class indices 0 to 5, or 255 or -1 where there is none.
    """

    unlabelled_train: list[str]
    labelled_train: list[str]
    labelled_test: list[str]
    masks: Path


def load_potsdam(folder: str | os.PathLike[str]) -> PotsdamData:
    """The patches of a folder that `prepare_potsdam` made, or anybody else in the same layout, of any counts.

    Raises
    ------
    InputError
        If a list is missing, if one names a patch without an image or without labels, or if a test patch is in
        another list too.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "name the folder that `terrasift prepare potsdam` wrote")
    ids = {name: _read_list(folder / f"{name}.txt") for name in LISTS}
    for name, listed in ids.items():
        _check_files(folder / f"{name}.txt", listed, IMAGES, "image")
        if name != "unlabelled_train":
            _check_files(folder / f"{name}.txt", listed, MASKS, "labels")
    test = ids["labelled_test"]
    twice = set(test) & {*ids["unlabelled_train"], *ids["labelled_train"]}
    if twice or not test:
        what = f"names {len(twice)} patches that are trained on too" if twice else "names no patch"
        raise InputError(folder / "labelled_test.txt", what, "prepare the data again")
    images = {name: [str(folder / IMAGES / f"{number}.mat") for number in listed] for name, listed in ids.items()}
    return PotsdamData(**images, masks=folder / MASKS)


def write_lists(folder: Path, labelled: Sequence[int], unlabelled: Sequence[int], seed: int) -> dict[str, int]:
    """Draw the test patches at random out of the labelled ones and write the three lists; how long each is.

    The list of the test comes last: where it is, all are.
    """
    count = round(len(labelled) * _TEST / _LABELLED)
    test = set(np.random.default_rng(seed).choice(labelled, count, replace=False).tolist())
    ids = {
        "unlabelled_train": list(unlabelled),
        "labelled_train": [number for number in labelled if number not in test],
        "labelled_test": sorted(test),
    }
    for name in LISTS:
        write_text(folder / f"{name}.txt", "".join(f"{number}\n" for number in ids[name]))
    return {name: len(ids[name]) for name in LISTS}


def _read_list(path: Path) -> list[str]:
    mend = "run `terrasift prepare potsdam`"
    if not path.exists():
        raise InputError(path, "is missing: the data is not prepared, or not to the end", mend)
    return [line.strip() for line in read_text(path, mend=mend).split("\n") if line.strip()]


def _check_files(listing: Path, ids: Sequence[str], kind: str, what: str) -> None:
    folder = listing.parent / kind
    there = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    missing = [number for number in ids if f"{number}.mat" not in there]
    if missing:
        raise InputError(
            listing,
            f"names {len(missing)} patches without {what}, the first one {folder / missing[0]}.mat",
            "prepare the data again",
        )
