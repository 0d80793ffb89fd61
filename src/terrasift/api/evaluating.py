"""A run against labelled images."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TypeAlias

from terrasift.baselines import score_beside
from terrasift.blocks.choices import Mapping, RegionsSeen
from terrasift.data.scenes import ImagePaths, find_masks, find_scenes
from terrasift.evaluation import (
    BaselineScores,
    Evaluation,
    LabelledImage,
    Seconds,
    TruthUsed,
    evaluate_legend,
    evaluate_segmenter,
)
from terrasift.legend import Legend
from terrasift.opened import OpenedRun
from terrasift.prediction import TimedSegmenter

__all__ = ["MaskFolders", "evaluate_run", "labelled_images"]

MaskFolders: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None
"""Folders that hold a mask of the same name for each image; None: those called ``masks`` beside the images' own."""


def evaluate_run(
    run: OpenedRun,
    legend: Legend,
    tested: Sequence[LabelledImage],
    mapped: Sequence[LabelledImage] | None,
    *,
    mapping: Mapping,
    regions: RegionsSeen,
    baselines: bool,
) -> Evaluation:
    """Score a run, and k-means beside it; nothing is written. See `Run.evaluate`.

    Parameters
    ----------
    run
        Finished.
    legend
        Names and colours of the classes.
    tested
        The test set.
    mapped
        The set on which clusters are mapped to classes; None: the test set.
    mapping, regions, baselines
        As for `Run.evaluate`.
    """
    beside: tuple[BaselineScores, ...] = ()
    if mapping == "legend":
        segmenter = TimedSegmenter(run.predictor_for(own := run.legend))
        found = evaluate_legend(segmenter, own, legend, tested, regions=regions)
    else:
        segmenter = TimedSegmenter(run.predictor)
        found = evaluate_segmenter(segmenter, legend, tested, mapped, method=mapping, regions=regions)
        if baselines:
            # On the mapping set, for it is at hand; else on the run's own images, where they are; else on the test set.
            at_hand = [image.scene for image in mapped or ()] or run.images_at_hand or [each.scene for each in tested]
            beside = score_beside(run.recipe, at_hand, legend, tested, mapped, method=mapping)
    return dataclasses.replace(
        found,
        baselines=beside,
        seconds=Seconds(run.training_seconds, segmenter.seconds),
        truth=TruthUsed(legend, tuple(tested), mapping != "legend" and mapped is None, regions),
        weights=run.weights_name,
    )


def labelled_images(images: ImagePaths, masks: MaskFolders = None) -> list[LabelledImage]:
    """Images, each with the mask that `find_masks` finds for it; InputError where one is missing."""
    scenes = find_scenes(images)
    return [LabelledImage(scene, mask) for scene, mask in zip(scenes, find_masks(scenes, masks), strict=True)]
