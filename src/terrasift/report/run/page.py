"""A run as one HTML page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrasift.clusters import ClusterFacts
from terrasift.data.scenes import is_there
from terrasift.errors import RunError, TerrasiftError
from terrasift.evaluation import Evaluation
from terrasift.files import write_text
from terrasift.legend import Legend
from terrasift.metrics import COMPARED
from terrasift.opened import OpenedRun
from terrasift.prediction import Predictor
from terrasift.report.comparison import compared_rows, untaken_lines
from terrasift.report.pages import render
from terrasift.report.run.clusters import ClusterCards, cluster_cards
from terrasift.report.run.curves import training_figure
from terrasift.report.run.dendrogram import Dendrogram, draw_dendrogram
from terrasift.report.run.machine import cost_facts, version_facts
from terrasift.report.run.recipe import recipe_keys
from terrasift.report.run.samples import SampleTable, sample_table
from terrasift.report.run.scores import confusion_of, score_tables
from terrasift.report.run.summary import run_summary

__all__ = ["report_on", "write_run_report"]

_logger = logging.getLogger(__name__)


def report_on(run: OpenedRun) -> Path | None:
    """`write_run_report` for the end of a command: whatever goes wrong is a warning, for the run itself is whole."""
    try:
        return write_run_report(run)
    except Exception as error:
        _logger.warning("no report was written: %s", str(error) or type(error).__name__)
        return None


def write_run_report(run: OpenedRun) -> Path:
    """Write what a run is, and what is known of it so far: ``report.html`` in its folder.

    Images that have gone are said to have, and the rest is shown. What is found out about the clusters is kept in the
    run, so that the report can be written again in seconds when the legend changes or the run is evaluated.

    Parameters
    ----------
    run
        Finished.

    Returns
    -------
    Path
        The page. It needs no other file and no network to be looked at.

    Raises
    ------
    RunError
        If the run is not finished.
    """
    predictor = run.predictor
    log, evaluation = run.log, _evaluation(run)
    images = _find_images(run, evaluation)
    steps = log.steps if log else 0
    versions_title, versions = version_facts(run)
    cards, dendrogram = _clusters(run, images)
    page = render(
        "report/run/page.html.j2",
        name=run.path.resolve().name,
        recipe=run.recipe,
        keys=recipe_keys(run.recipe),
        summary=run_summary(run, images.listed, steps, evaluation),
        missing=_gone(images) if len(images.training) < images.listed else "",
        legend=run.legend,
        legend_is_mapped=run.is_mapped,
        training=training_figure(log, run.recipe.clusters) if log and steps else None,
        samples=_samples(run, predictor, images, evaluation),
        samples_of=f"Patches of the {'test' if images.shows_test_set else 'training'} images, drawn by seed.",
        clusters=cards,
        dendrogram=dendrogram,
        truth=evaluation.truth if evaluation else None,
        compared=compared_rows(evaluation) if evaluation else [],
        compared_columns=list(COMPARED.values()),
        untaken=untaken_lines(evaluation) if evaluation else [],
        scores=score_tables(evaluation) if evaluation else [],
        confusion=confusion_of(evaluation) if evaluation else None,
        costs=cost_facts(run, run.recipe, log) if log and steps else [],
        versions_title=versions_title,
        versions=versions,
    )
    return write_text(run.report_file, page)


def _evaluation(run: OpenedRun) -> Evaluation | None:
    """Its scores, where it is known what they were found with: an evaluation that is damaged is shown as none."""
    try:
        found = run.evaluation
    except RunError as error:
        _logger.warning("the report shows no scores: %s", error)
        return None
    return found if found and found.truth else None


@dataclass(frozen=True)
class _Images:
    """Where the images are that a report can show."""

    listed: int
    """Training images."""
    training: Sequence[str]
    """Those of them that are there."""
    shown: Sequence[str]
    """Test images that are there with their masks; else the same."""
    first_missing: str

    @property
    def shows_test_set(self) -> bool:
        return self.shown is not self.training


def _find_images(run: OpenedRun, evaluation: Evaluation | None) -> _Images:
    listed = run.trained_on
    there = [path for path in listed if is_there(path)]
    missing = next((path for path in listed if not is_there(path)), "")
    scored = evaluation.truth.tested if evaluation and evaluation.truth else ()
    tested = [image.scene for image in scored if image.mask.exists() and is_there(image.scene)]
    return _Images(len(listed), there, tested or there, missing)


def _samples(run: OpenedRun, predictor: Predictor, images: _Images, evaluation: Evaluation | None) -> SampleTable | str:
    """The samples, or in words why there are none."""
    if not images.shown:
        return _gone(images)
    try:
        return sample_table(run, predictor, images.shown, evaluation.truth if evaluation else None)
    except TerrasiftError as error:
        return str(error)


def _clusters(run: OpenedRun, images: _Images) -> tuple[ClusterCards | str, Dendrogram | None]:
    """The cards, or in words why there are none; and how the clusters join, where that can be drawn."""
    try:
        facts = run.facts
    except TerrasiftError as error:
        return str(error), None
    if facts is None:
        return _gone(images), None
    legend, recipe, is_mapped = _holding_clusters(run, facts), run.prediction_recipe, run.is_mapped
    return (
        cluster_cards(facts, legend, recipe, is_mapped=is_mapped),
        draw_dendrogram(facts, legend, recipe.clusters, is_mapped=is_mapped),
    )


def _holding_clusters(run: OpenedRun, facts: ClusterFacts) -> Legend:
    """The run's legend; classes that labels have taught hold the clusters whose mean features are taken for them."""
    legend = run.legend
    if not legend.taught:
        return legend
    taught = run.load_taught(legend.taught)
    outputs = taught.scores(np.nan_to_num(facts.prototypes).astype(np.float32)).argmax(axis=1)
    classes = legend.mapping(taught.outputs)[outputs]
    return legend.with_clusters(np.where(facts.pixels > 0, classes, -1), legend.classifier)


def _gone(images: _Images) -> str:
    if not images.listed:
        return "The run does not say which images it was trained on."
    gone = images.listed - len(images.training)
    all_or_some = f"{gone} of the {images.listed}" if images.training else "The"
    return f"{all_or_some} training images are not where they were when it was trained: {images.first_missing}"
